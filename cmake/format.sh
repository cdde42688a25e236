#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh cmake/format.sh [--check]: brings every source into the form of .clang-format, or only says which are not in it. The form is that of version
# 16, which both Debian 12 and Ubuntu 24.04 have.
set -eu
cd "$(dirname "$0")/.."
check=""
case "${1:-}" in
--check) check=yes ;;
"") ;;
*)
    echo "usage: sh cmake/format.sh [--check]" >&2
    exit 2
    ;;
esac
command -v clang-format-16 >/dev/null || {
    echo "bilevel: clang-format-16 is missing; 'sh cmake/install_dependencies.sh check' installs it" >&2
    exit 1
}
all() {
    find include examples benchmarks tests \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cuh' -o -name '*.cu' \) -print0 |
        xargs -0 clang-format-16 "$@"
}
if [ -z "$check" ]; then
    all -i
    exit
fi
if faults=$(all --dry-run -Werror --ferror-limit=1 2>&1); then exit; fi
echo "$faults" | sed -n 's/^\([^ :]*:[0-9]*\):.*/\1: not in the form of .clang-format/p'
echo "bilevel: 'sh cmake/format.sh' brings all sources into form"
exit 1
