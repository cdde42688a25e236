#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh cmake/test.sh: installs what is missing, builds the tests and the examples, and runs all tests. Tests on real data need the folder that
# BILEVEL_DATA_DIR names, and say so where it is not set.
set -eu
cd "$(dirname "$0")/.."

sh cmake/install_dependencies.sh test
cmake --preset test
cmake --build build/test --parallel "$(nproc)"
exec ctest --preset test --parallel "$(nproc)"
