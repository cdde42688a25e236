#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# sh benchmarks/peers/setup.sh [FOLDER]: makes the virtual environment of the comparison with other libraries (build/peers/venv), or brings it up to
# date. It is needed by benchmarks/peers/compare alone: the library, its tests and its own benchmarks know no Python.
# PYTHON names the interpreter. BILEVEL_TORCH_INDEX names a package index that has wheels of PyTorch without CUDA, which are smaller and compute the
# same on a processor; without it they come from where pip is set up to look.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../build/peers/venv}
"${PYTHON:-python3}" -m venv "$folder" || {
    echo "peers: cannot make a virtual environment (Debian: the package python3-venv)" >&2
    exit 1
}
pip() { "$folder/bin/python" -m pip --disable-pip-version-check "$@"; }
if [ -n "${BILEVEL_TORCH_INDEX:-}" ]; then
    pip install --quiet --upgrade --index-url "$BILEVEL_TORCH_INDEX" torch
fi
pip install --quiet --upgrade --requirement "$here/requirements.txt"
pip list 2>/dev/null | grep -E -i '^(torch|torchopt|higher|jax|jaxlib|numpy) '
