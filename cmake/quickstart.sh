#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh cmake/quickstart.sh [ARGUMENTS OF few_shot]: installs what is missing, builds the few-shot example and runs it; without arguments on the
# embedded data, with no download.
set -eu
cd "$(dirname "$0")/.."

sh cmake/install_dependencies.sh build
echo "bilevel: building examples/few_shot into build/release"
mkdir -p build
log=build/quickstart.log
if ! { cmake --preset release -DBILEVEL_BUILD_EXAMPLES=ON -DBILEVEL_BUILD_TESTS=OFF -DBILEVEL_BUILD_BENCHMARKS=OFF &&
    cmake --build build/release --target few_shot --parallel "$(nproc)"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "bilevel: the build failed; all of its output is in $log" >&2
    exit 1
fi
exec build/release/examples/few_shot "$@"
