#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh cmake/tidy.sh BUILD [SOURCE…]: clang-tidy over sources of a build folder, configured with clang and with tests, and over the library's headers that
# they include; without sources, over one unit that includes every header.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
[ $# -gt 0 ] || set -- "$build/tests/headers/first.cpp"
# Without OpenMP, whose header comes with the compiler, and the one that configured may be another.
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-16 --quiet --extra-arg=-fno-openmp -p "$build"
