#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh cmake/install_dependencies.sh [build|test|benchmark|emulate|cross|check]: installs what is missing on Debian 12 or Ubuntu 24.04, from their own packages.
# build (the default): the library and its examples; test and benchmark: that and what these need; emulate: what the emulated device needs (docs/gpu.md);
# cross: what the tests of the preset neon need; check: all that .ci/run needs.
# Says nothing, and needs neither root nor a network, when all is there.
set -eu

packages="g++ cmake ninja-build libeigen3-dev libxtensor-dev librandom123-dev libstb-dev libcli11-dev"
case "${1:-build}" in
build) ;;
test) packages="$packages doctest-dev libthrust-dev" ;;
benchmark) packages="$packages doctest-dev libbenchmark-dev libopenblas-dev" ;;
emulate) packages="$packages doctest-dev libbenchmark-dev libboost-context-dev python3" ;;
cross) packages="$packages doctest-dev g++-aarch64-linux-gnu qemu-user" ;;
check) packages="$packages doctest-dev libthrust-dev libbenchmark-dev clang libclang-rt-dev libomp-dev clang-format-16 clang-tidy-16" ;;
*)
    echo "usage: sh cmake/install_dependencies.sh [build|test|benchmark|emulate|cross|check]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "bilevel: neither Debian nor Ubuntu: please see to it that these packages, or their like, are installed: $packages" >&2
    exit 0
fi

missing=""
for package in $packages; do
    case "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "bilevel: missing packages; as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "bilevel: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1
}
# What apt knows may be old, or nothing at all on a fresh system.
if ! install; then
    if ! $as_root apt-get update -qq >"$log" 2>&1 || ! install; then
        tail -n 20 "$log" >&2
        echo "bilevel: could not install$missing" >&2
        exit 1
    fi
fi
