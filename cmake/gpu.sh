#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# All that a GPU has to say about the library, on a machine with nvcc, CMake and Ninja from which nothing else can be reached (docs/gpu.md):
#
#   sh cmake/gpu.sh pack [OMNIGLOT]   on a Debian or Ubuntu with the dependencies installed: gathers what the other machine lacks into build/gpu_pack
#                                     (headers, Google Benchmark, and Omniglot's folder, if given), less than 64 MiB
#   sh cmake/gpu.sh [run [PART…]]     on the machine with the GPU: builds, tests, sanitizes, trains and measures, and writes build/gpu/report.md.
#                                     PARTs: build test sanitize train benchmark peers peers_rest; without any, all of them. Each takes less than ten
#                                     minutes. The peers are those that python3 finds (PyTorch, JAX).
set -eu
cd "$(dirname "$0")/.."
pack=$PWD/build/gpu_pack build=$PWD/build/gpu

pack() {
    rm -rf "$pack"
    mkdir -p "$pack"
    {
        ls /usr/lib/*/libbenchmark*.so* | sed 's|^/||' # whose package has another name in every release
        for package in libeigen3-dev libxtensor-dev libxtl-dev librandom123-dev libstb-dev libcli11-dev doctest-dev libbenchmark-dev; do
            dpkg -L "$package" 2>/dev/null | grep -E '/(include|cmake|lib)/' | while IFS= read -r file; do
                [ ! -f "$file" ] || printf '%s\n' "${file#/}"
            done
        done
    } | sort -u | tar -C / -chzf "$pack/usr.tar.gz" -T -
    [ $# = 0 ] || tar -C "$1" -czf "$pack/omniglot.tar.gz" .
    du -sh "$pack"
}

unpack() {
    mkdir -p "$build"
    [ -f "$pack/usr.tar.gz" ] && [ ! -d "$build/pack/usr" ] && mkdir -p "$build/pack" && tar -C "$build/pack" -xzf "$pack/usr.tar.gz"
    [ -f "$pack/omniglot.tar.gz" ] && [ ! -d "$build/omniglot" ] && mkdir -p "$build/omniglot" && tar -C "$build/omniglot" -xzf "$pack/omniglot.tar.gz"
    return 0
}

# section TITLE COMMAND…: runs the command; its output goes to the screen and into the report.
section() {
    title=$1
    shift
    printf '\n## %s\n\n    %s\n\n```\n' "$title" "$*" >>"$build/report.md"
    begin=$(date +%s) status=0
    { "$@" 2>&1 || echo "FAILED with status $?"; } | tee "$build/part.log"
    tail -n 60 "$build/part.log" >>"$build/report.md"
    printf '```\n\n%s s\n' "$(($(date +%s) - begin))" >>"$build/report.md"
    ! grep -q '^FAILED with status' "$build/part.log" || failed="$failed; $title"
}

build() {
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBILEVEL_CUDA=ON -DBILEVEL_NATIVE=OFF "-DCMAKE_PREFIX_PATH=$build/pack/usr" \
        -DBILEVEL_INSTALL=OFF >"$build/configure.log" 2>&1 || { cat "$build/configure.log"; return 1; }
    grep -i 'bilevel: cu' "$build/configure.log" # CUDA, and whether cuDNN is there, which nothing needs
    cmake --build "$build" --parallel "$(nproc)" --target test_cuda benchmark_cuda_meta_step few_shot hypergradient
}
sanitize() { # few cases: under the tool each kernel takes some hundred times as long
    for tool in memcheck racecheck initcheck; do
        echo "== $tool"
        compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/tests/cuda/test_cuda" \
            --test-case="*first of equal*,*computed by hand*,*known beforehand*,*calls each index once*,*state from elsewhere*" || return 1
    done
}
train() { # the recipe of docs/omniglot.md
    set --
    [ ! -d "$build/omniglot" ] || set -- --dataset omniglot --data "$build/omniglot"
    "$build/examples/few_shot" --backend cuda --algorithm maml --seed 7 "$@"
}
peers() { # those of the rows that match
    BILEVEL_PEERS_PYTHON=$(command -v python3) benchmarks/peers/compare --device cuda --rounds 2 --repeat 5 --inputs 3 --rows "$1" \
        --json "$build/$2.json" --program "$build/examples/hypergradient"
}

run() {
    failed=
    unpack
    command -v nvidia-smi >/dev/null && gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader) || gpu="no GPU found"
    printf '# bilevel on %s\n\nVersion %s, nvcc %s, %s.\n' "$gpu" "$(git describe --always --dirty 2>/dev/null || echo unknown)" \
        "$(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')" "$(date -u +%Y-%m-%d)" >"$build/report.md"
    [ $# -gt 0 ] || set -- build test sanitize train benchmark peers peers_rest
    for part; do
        case $part in
        build) section Build build ;;
        test) section Tests ctest --test-dir "$build" -L cuda --output-on-failure ;;
        sanitize) section "compute-sanitizer" sanitize ;;
        train) section "Training" train ;;
        benchmark) section "Meta-steps" "$build/benchmarks/benchmark_cuda_meta_step" --benchmark_min_time=1 --benchmark_repetitions=3 --benchmark_report_aggregates_only=true ;;
        peers) section "Beside PyTorch and JAX: second-order MAML" peers '(maml_omniglot|maml_84_1shot)/' peers ;;
        peers_rest) section "Beside PyTorch and JAX: the others, in FP32" peers '(fomaml|anil|imaml|mtl|maml_84_5shot).*/(functional|autograd|jax)$' peers_rest ;;
        *) echo "gpu.sh: there is no part $part" >&2; exit 2 ;;
        esac
    done
    printf '\nThe report: %s\n' "$build/report.md"
    [ -z "$failed" ] || { echo "failed:${failed#;}" >&2; exit 1; }
}

case ${1:-run} in
pack) shift; pack "$@" ;;
run) [ $# = 0 ] || shift; run "$@" ;;
*) echo "gpu.sh: expected pack or run, found $1" >&2; exit 2 ;;
esac
