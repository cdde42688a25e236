#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# All that a GPU has to say about the library, on a machine with nvcc, CMake and Ninja from which nothing else can be reached (docs/gpu.md):
#
#   sh cmake/gpu.sh pack [OMNIGLOT]   on a Debian or Ubuntu with the dependencies installed: gathers what the other machine lacks into build/gpu_pack
#                                     (headers, Google Benchmark, and Omniglot's folder, if given), less than 64 MiB
#   sh cmake/gpu.sh [run [PART…]]     on the machine with the GPU: builds, tests, sanitizes, trains and measures, and writes build/gpu/report.md.
#                                     PARTs: build test sanitize bits train benchmark kernels peers peers_tf32 peers_rest; without any, all of them. Each
#                                     program is stopped after ten minutes, and each part may run alone: the report is of all that have run so far. The
#                                     peers are those that python3 finds (PyTorch, JAX).
set -eu
cd "$(dirname "$0")/.."
pack=$PWD/build/gpu_pack build=$PWD/build/gpu

pack() {
    xtl=$(dpkg -S '*/xtl/xtl_config.hpp' | cut -d: -f1) # whose package has another name in every release
    packages="libeigen3-dev libxtensor-dev $xtl librandom123-dev libstb-dev libcli11-dev doctest-dev libbenchmark-dev"
    # shellcheck disable=SC2086
    dpkg -s $packages >/dev/null # says which is missing
    rm -rf "$pack"
    mkdir -p "$pack"
    git describe --always --dirty >"$pack/version" 2>/dev/null || echo unknown >"$pack/version"
    {
        ls /usr/lib/*/libbenchmark*.so* | sed 's|^/||' # of a package that has another name in every release, too
        for package in $packages; do
            dpkg -L "$package" | grep -E '/(include|cmake|lib)/' | while IFS= read -r file; do
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

# section PART TITLE LINES COMMAND…: runs the command; its last so many lines become that part of the report.
section() {
    part=$1 title=$2 lines=$3
    shift 3
    log=$build/$part.log begin=$(date +%s)
    { "$@" 2>&1 || printf '\nFAILED with status %s\n' "$?"; } | tee "$log"
    {
        printf '\n## %s\n\n    %s\n\n```\n' "$title" "$*"
        tail -n "$lines" "$log"
        printf '```\n\n%s s\n' "$(($(date +%s) - begin))"
    } >"$build/report.d/$part.md"
    ! grep -q '^FAILED with status' "$log" || failed="$failed; $title"
}
limited() { timeout 590 "$@"; }

build() {
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBILEVEL_CUDA=ON -DBILEVEL_NATIVE=OFF "-DCMAKE_PREFIX_PATH=$build/pack/usr" \
        -DBILEVEL_INSTALL=OFF >"$build/configure.log" 2>&1 || { cat "$build/configure.log"; return 1; }
    grep -i 'bilevel: cu' "$build/configure.log" # CUDA, and whether cuDNN is there, which nothing needs
    limited cmake --build "$build" --parallel "$(nproc)" --target test_cuda benchmark_cuda_meta_step few_shot hypergradient
}
tests() { # none of which may be skipped here
    limited ctest --test-dir "$build" -L cuda --no-tests=error --output-on-failure --parallel 4 >"$build/ctest.log" 2>&1 || { cat "$build/ctest.log"; return 1; }
    cat "$build/ctest.log"
    ! grep -q 'Skipped' "$build/ctest.log"
}
sanitize() { # few cases: under the tool each kernel takes some hundred times as long
    for tool in memcheck racecheck initcheck synccheck; do
        echo "== $tool"
        limited env BILEVEL_SEPARATE_BUFFERS=1 compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/tests/cuda/test_cuda" \
            --test-case="*first of equal*,*computed by hand*,*known beforehand*,*calls each index once*,*state from elsewhere*" || return 1
    done
}
hypergradient() { # a batch of second-order MAML, 32 tasks
    input=$build/maml_input
    rm -rf "$input"
    "$build/examples/hypergradient" --algorithm maml --network conv4 --scalar double --write-example "$input" --tasks 32 --queries 15 || return 1
    limited "$@" "$build/examples/hypergradient" --backend cuda --algorithm maml --network conv4 --inner-rate 0.1 --scalar float --input "$input" --output "$output"
}
bits() { # of two processes
    rm -f "$build"/bits_*.npy
    for run in 1 2; do output=$build/bits_$run.npy hypergradient || return 1; done
    cmp "$build/bits_1.npy" "$build/bits_2.npy" && echo "two processes give the same bits"
}
kernels() { # of one hypergradient, kernel by kernel, beside what the device can do
    command -v ncu >/dev/null || { echo "there is no ncu here"; return 1; }
    rm -f "$build/ncu.csv"
    output=$build/profiled.npy hypergradient ncu --csv --print-units base --log-file "$build/ncu.csv" --metrics \
        gpu__time_duration.sum,dram__throughput.avg.pct_of_peak_sustained_elapsed,sm__throughput.avg.pct_of_peak_sustained_elapsed >/dev/null || return 1
    python3 benchmarks/cuda/kernels.py "$build/ncu.csv"
}
train() { # the recipe of docs/omniglot.md
    set --
    [ ! -d "$build/omniglot" ] || set -- --dataset omniglot --data "$build/omniglot"
    limited "$build/examples/few_shot" --backend cuda --algorithm maml --seed 7 --checkpoint "$build/maml.state" --checkpoint-interval 1000 --resume \
        --json "$build/maml.json" "$@"
}
peers() { # those of the rows that match
    export BILEVEL_PEERS_PYTHON="$(command -v python3)"
    limited benchmarks/peers/compare --device cuda --rounds 2 --repeat 20 --inputs 5 --rows "$1" \
        --json "$build/$2.json" --program "$build/examples/hypergradient"
}

run() {
    failed=
    unpack
    mkdir -p "$build/report.d"
    command -v nvidia-smi >/dev/null && gpu=$(nvidia-smi --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader) || gpu="no GPU found"
    version=$(git describe --always --dirty 2>/dev/null || cat "$pack/version" 2>/dev/null || echo unknown)
    printf '# bilevel on %s\n\nVersion %s, nvcc %s, %s.\n' "$gpu" "$version" "$(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')" \
        "$(date -u +%Y-%m-%d)" >"$build/report.d/head"
    all="build test sanitize bits train benchmark kernels peers peers_tf32 peers_rest"
    # shellcheck disable=SC2086
    [ $# -gt 0 ] || set -- $all
    for part; do
        case $part in
        build) section build Build 20 build ;;
        test) section test Tests 200 tests ;;
        sanitize) section sanitize "compute-sanitizer" 60 sanitize ;;
        bits) section bits "The bits of two runs" 20 bits ;;
        train) section train "Training" 60 train ;;
        benchmark) section benchmark "Meta-steps" 200 limited "$build/benchmarks/benchmark_cuda_meta_step" --benchmark_min_time=1 --benchmark_repetitions=3 --benchmark_report_aggregates_only=true ;;
        kernels) section kernels "Kernels of second-order MAML, 28×28×1, 32 tasks" 60 kernels ;;
        peers) section peers "Beside PyTorch and JAX: second-order MAML" 60 peers '(maml_omniglot|maml_84_1shot)/(functional|compiled|jax)$' peers ;;
        peers_tf32) section peers_tf32 "Beside PyTorch and JAX, all in TF32: second-order MAML" 60 peers '(maml_omniglot|maml_84_1shot)/.*_tf32$' peers_tf32 ;;
        peers_rest) section peers_rest "Beside PyTorch and JAX: the others, in FP32" 60 peers '(fomaml|anil|imaml|mtl|maml_84_5shot).*/(functional|autograd|jax)$' peers_rest ;;
        *) echo "gpu.sh: there is no part $part; there are $all" >&2; exit 2 ;;
        esac
        { # of all that have run, in order
            cat "$build/report.d/head"
            for each in $all; do [ ! -f "$build/report.d/$each.md" ] || cat "$build/report.d/$each.md"; done
        } >"$build/report.md"
    done
    printf '\nThe report: %s\n' "$build/report.md"
    [ -z "$failed" ] || { echo "failed:${failed#;}" >&2; exit 1; }
}

case ${1:-run} in
pack) shift; pack "$@" ;;
run) [ $# = 0 ] || shift; run "$@" ;;
*) echo "gpu.sh: expected pack or run, found $1" >&2; exit 2 ;;
esac
