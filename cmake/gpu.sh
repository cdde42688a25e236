#!/bin/sh
# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# All that a GPU has to say about the library, on a machine with nvcc, CMake and Ninja from which nothing else can be reached (docs/gpu.md):
#
#   sh cmake/gpu.sh pack [OMNIGLOT]   on a Debian or Ubuntu with the dependencies installed: gathers what the other machine lacks into build/gpu_pack
#                                     (headers, Google Benchmark, and Omniglot's folder, if given), less than 64 MiB
#   sh cmake/gpu.sh [run [PART…]]     on the machine with the GPU: builds, tests, sanitizes, trains and measures, and writes build/gpu/report.md.
#                                     PARTs: build test bits peers build_rest peers_compiled benchmark train sanitize kernels peers_tf32 peers_cudnn
#                                     peers_three_tf32 peers_rest kernels_rest primitives peers_rest_tf32 sanitize_rest; without any, all of them, in this order: first what all figures rest on, then
#                                     the main table, so that it is there when the machine is taken away, and last what takes long and says least. Each part has a limit of at most
#                                     ten minutes, and all together have BILEVEL_GPU_MINUTES, 25 without it; parts for which no time is left are named. Each may run
#                                     alone: the report is of all that have run so far, and says of which version each is. The peers are those that
#                                     python3 finds (PyTorch, JAX).
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
        printf '%s\n' /usr/lib/*/libbenchmark*.so* | sed 's|^/||' # of a package that has another name in every release, too
        for package in $packages; do
            dpkg -L "$package" | grep -E '/(include|cmake|lib)/' | while IFS= read -r file; do
                [ ! -f "$file" ] || printf '%s\n' "${file#/}"
            done
        done
    } | sort -u | tar -C / -chzf "$pack/usr.tar.gz" -T -
    [ $# = 0 ] || tar -C "$1" -czf "$pack/omniglot.tar.gz" .
    du -sh "$pack"
}

# unpack NAME FOLDER: an archive of the pack, anew where it is another one than before.
unpack() {
    [ -f "$pack/$1.tar.gz" ] || return 0
    sum=$(cksum <"$pack/$1.tar.gz")
    [ "$sum" != "$(cat "$2.sum" 2>/dev/null)" ] || return 0
    rm -rf "$2"
    mkdir -p "$2"
    tar -C "$2" -xzf "$pack/$1.tar.gz"
    printf '%s\n' "$sum" >"$2.sum"
}

# section PART SECONDS LINES TITLE COMMAND…: runs the command, whose programs have so many seconds; its last so many lines become that part of the report.
section() {
    part=$1 lines=$3 title=$4 begin=$(date +%s)
    deadline=$((begin + $2))
    [ "$deadline" -le "$end" ] || deadline=$end
    if [ $((deadline - begin)) -lt 5 ]; then
        left_over="$left_over $part"
        return
    fi
    shift 4
    log=$build/$part.log
    {
        "$@" 2>&1 || {
            status=$?
            [ "$status" != 124 ] || printf '\nstopped: its time is over\n'
            printf '\nFAILED with status %s\n' "$status"
        }
    } | tee "$log"
    {
        printf '\n## %s\n\n    %s\n\n```\n' "$title" "$*"
        tail -n "$lines" "$log"
        printf '```\n\n%s s, %s, on %s, version %s.\n' "$(($(date +%s) - begin))" "$(date -u +%Y-%m-%d)" "$gpu" "$version"
    } >"$build/report.d/$part.md"
    ! grep -q '^FAILED with status' "$log" || failed="$failed; $title"
}
# share N COMMAND…: the command, stopped after an N-th of the time that its part has left.
share() {
    seconds=$(((deadline - $(date +%s)) / $1))
    shift
    [ "$seconds" -gt 0 ] || return 124
    timeout -s "${signal:-TERM}" -k 15 "$seconds" "$@"
}
limited() { share 1 "$@"; }

build() {
    # cuDNN may be there as a package of python3 alone, whose library has no name without a version.
    set --
    cudnn=$(python3 -c 'import nvidia.cudnn; print(list(nvidia.cudnn.__path__)[0])' 2>/dev/null || :)
    library=$(find "${cudnn:-/nowhere}" -name 'libcudnn.so.*' 2>/dev/null | head -n 1)
    [ -z "$library" ] || set -- "-DBILEVEL_CUDNN_INCLUDE_DIR=$cudnn/include" "-DBILEVEL_CUDNN_LIBRARY=$library"
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBILEVEL_CUDA=ON -DBILEVEL_NATIVE=OFF "-DCMAKE_PREFIX_PATH=$build/pack/usr" \
        -DBILEVEL_INSTALL=OFF "$@" >"$build/configure.log" 2>&1 || { cat "$build/configure.log"; return 1; }
    grep -i 'bilevel: cu' "$build/configure.log" # CUDA, and whether cuDNN is there, which nothing needs
    compile test_cuda hypergradient
}
# compile TARGET…: what does not compile stops nothing else.
compile() { limited cmake --build "$build" --parallel "$(nproc)" --target "$@" -- -k 0; }
build_rest() { # and the tests that are examples
    result=0
    compile few_shot benchmark_cuda_meta_step sinusoids_on_cuda readme_on_cuda benchmark_cuda_primitives || result=$?
    tests -R '^example' || result=$?
    return "$result"
}
tests() { # OPTION…: none of which may be skipped here
    limited ctest --test-dir "$build" -L cuda "$@" --no-tests=error --output-on-failure --parallel 4 >"$build/ctest.log" 2>&1 || {
        status=$?
        cat "$build/ctest.log"
        return "$status"
    }
    cat "$build/ctest.log"
    ! grep -q 'Skipped' "$build/ctest.log"
}
sanitize() { # PATTERNS TOOL…: the cases that match, each tool with its share of the time; under one of them each kernel takes some hundred times as long
    cases=$1 found=''
    shift
    left=$#
    for tool; do
        echo "== $tool"
        # Calls that fail are no error of their own: some cases make them fail, and all are checked by the library.
        share "$left" env BILEVEL_SEPARATE_BUFFERS=1 compute-sanitizer --tool "$tool" --report-api-errors no --error-exitcode 9 "$build/tests/cuda/test_cuda" --test-case="$cases" ||
            found="$found $tool: status $?;"
        left=$((left - 1))
    done
    [ -z "$found" ] || { echo "==$found"; return 1; }
}
hypergradient() { # OUTPUT ARGUMENTS COMMAND…: of random images, run by the command
    input=$build/input output=$1 of=$2
    shift 2
    rm -rf "$input"
    # shellcheck disable=SC2086
    limited "$build/examples/hypergradient" --backend cuda $of --scalar double --write-example "$input" --queries 15 || return
    # shellcheck disable=SC2086
    "$@" "$build/examples/hypergradient" --backend cuda $of --inner-rate 0.1 --scalar float --input "$input" --output "$output"
}
maml='--algorithm maml --network conv4 --tasks 32'
bits() { # of two processes
    rm -f "$build"/bits_*.npy
    for run in 1 2; do hypergradient "$build/bits_$run.npy" "$maml" limited || return; done
    cmp "$build/bits_1.npy" "$build/bits_2.npy" && echo "two processes give the same bits"
}
kernels() { # ARGUMENTS…: of one hypergradient of each, kernel by kernel, beside what the device can do
    command -v ncu >/dev/null || { echo "there is no ncu here"; return 1; }
    metrics=$(limited ncu --query-metrics 2>&1 | python3 benchmarks/cuda/kernels.py --metrics)
    # One inner step has every kernel that several have. The profiler is interrupted, not ended, where its time is over: it prints at its end.
    left=$# result=0 signal=INT
    for of; do
        printf '\n== %s\n' "$of"
        rm -f "$build/ncu.csv"
        # The device's clocks stay as they are: they may not be ours to change, and are those at which everything else was timed.
        hypergradient "$build/profiled.npy" "$of" share "$left" ncu --clock-control none --csv --print-units base --log-file "$build/ncu.csv" --metrics "$metrics" ||
            result=$?
        [ ! -f "$build/ncu.csv" ] || python3 benchmarks/cuda/kernels.py "$build/ncu.csv" || result=1 # of what it has measured, or what it says
        left=$((left - 1))
    done
    signal=
    return "$result"
}
train() { # the short run of docs/omniglot.md, which reaches 98.56 % on a cpu
    set --
    [ ! -d "$build/omniglot" ] || set -- --dataset omniglot --data "$build/omniglot" --network conv4_strided --filters 64 --meta-batch 16 --outer-rate 0.002 --iterations 6000
    limited "$build/examples/few_shot" --backend cuda --algorithm maml --queries 5 --seed 7 --episodes 1000 --checkpoint "$build/maml.state" --checkpoint-interval 1000 \
        --resume --json "$build/maml.json" "$@"
}
peers() { # NAME ROWS OPTION…: those of the rows that match
    json=$build/$1.json rows=$2
    shift 2
    rm -f "$json"
    BILEVEL_PEERS_PYTHON=$(command -v python3) || { echo "there is no python3 here"; return 1; }
    export BILEVEL_PEERS_PYTHON
    limited benchmarks/peers/compare --device cuda --rounds 2 --repeat 20 --inputs 5 --rows "$rows" --json "$json" \
        --program "$build/examples/hypergradient" "$@"
}
peers_cudnn() {
    grep -q 'bilevel: cuDNN [0-9.]* found: ' "$build/configure.log" || { echo "built without cuDNN, which nothing needs"; return 0; }
    peers "$@" --cudnn
}

all="build test bits peers build_rest peers_compiled benchmark train sanitize kernels peers_tf32 peers_cudnn peers_three_tf32 peers_rest kernels_rest primitives peers_rest_tf32 sanitize_rest"
part() {
    main='(maml_omniglot|maml_84_1shot)' rest='(fomaml|anil|imaml|mtl|maml_84_5shot)' fp32='(functional|autograd|jax)$' title="Beside PyTorch and JAX"
    case $1 in
    build) section build 590 20 "Build: tests and hypergradient" build ;;
    build_rest) section build_rest 590 60 "Build: the rest, and examples that are tests" build_rest ;;
    test) section test 240 200 "Tests" tests -E 'no_spills|^example' ;;
    bits) section bits 60 20 "The bits of two runs" bits ;;
    peers) section peers 420 60 "$title: second-order MAML, in FP32" peers peers "$main/$fp32" ;;
    peers_compiled) section peers_compiled 300 60 "$title: second-order MAML, in FP32, torch.compile" peers peers_compiled "$main/compiled$" ;;
    benchmark) section benchmark 120 200 "Meta-steps" limited "$build/benchmarks/benchmark_cuda_meta_step" --benchmark_min_time=0.3 --benchmark_repetitions=3 --benchmark_report_aggregates_only=true ;;
    primitives) section primitives 240 500 "Primitives" limited "$build/benchmarks/benchmark_cuda_primitives" --benchmark_min_time=0.02 ;;
    train) section train 300 60 "Training" train ;;
    sanitize) section sanitize 240 120 "compute-sanitizer, the cases that take it a few seconds" sanitize \
        "*first of equal*,*computed by hand*,*known beforehand*,*calls each index once*,*state from elsewhere*" memcheck racecheck initcheck synccheck ;;
    sanitize_rest) section sanitize_rest 590 120 "compute-sanitizer, all cases" sanitize "*" memcheck initcheck racecheck ;;
    kernels) section kernels 180 60 "Kernels of second-order MAML, 28×28×1 and 84×84×3, 32 tasks" kernels "$maml --inner-steps 1" \
        "$maml --inner-steps 1 --image 84,84,3 --filters 32" ;;
    kernels_rest) section kernels_rest 240 120 "Kernels of the other algorithms" kernels "--algorithm anil --network conv4 --tasks 32 --inner-steps 1" \
        "--algorithm imaml --network conv4 --tasks 32 --inner-steps 1 --cg-iterations 1" "--algorithm mtl --network resnet12 --tasks 1 --image 32,32,3" \
        "$maml --inner-steps 1 --arithmetic tf32" ;;
    peers_tf32) section peers_tf32 300 60 "$title: second-order MAML, all in TF32" peers peers_tf32 "$main/.*_tf32$" ;;
    peers_cudnn) section peers_cudnn 180 60 "$title: MTL with ResNet-12, ours with cuDNN" peers_cudnn peers_cudnn "mtl_resnet12.*/(autograd|jax)$" ;;
    peers_three_tf32) section peers_three_tf32 240 60 "$title: second-order MAML, ours in 3xTF32 beside FP32" peers peers_three_tf32 "$main/$fp32" --arithmetic three_tf32 ;;
    peers_rest) section peers_rest 420 60 "$title: the others, in FP32" peers peers_rest "$rest.*/$fp32" ;;
    peers_rest_tf32) section peers_rest_tf32 420 60 "$title: the others, all in TF32" peers peers_rest_tf32 "$rest.*_tf32$" ;;
    esac
}

run() {
    failed='' left_over='' minutes=${BILEVEL_GPU_MINUTES:-25}
    end=$(($(date +%s) + 60 * minutes))
    # shellcheck disable=SC2086
    [ $# -gt 0 ] || set -- $all
    for each; do
        case " $all " in
        *" $each "*) ;;
        *) echo "gpu.sh: there is no part $each; there are $all" >&2; exit 2 ;;
        esac
    done
    mkdir -p "$build/report.d"
    unpack usr "$build/pack"
    unpack omniglot "$build/omniglot"
    gpu="no GPU that nvidia-smi knows"
    ! command -v nvidia-smi >/dev/null || gpu=$(nvidia-smi --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader | head -n 1)
    # Changed sources have another version, and so has a copy without git, of which the pack may be older.
    version="$(git describe --always --dirty 2>/dev/null || cat "$pack/version" 2>/dev/null || echo unknown), sources $(
        find CMakeLists.txt cmake include tests examples benchmarks -type f ! -name '*.pyc' | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1
    )"
    printf '# bilevel on %s\n\nVersion %s, nvcc %s, %s.\n' "$gpu" "$version" "$(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')" \
        "$(date -u +%Y-%m-%d)" >"$build/report.d/head"
    for each; do
        part "$each"
        { # of all that have run, in order
            cat "$build/report.d/head"
            for known in $all; do
                [ -f "$build/report.d/$known.md" ] || continue
                cat "$build/report.d/$known.md"
                grep -q -F "on $gpu, version $version." "$build/report.d/$known.md" || printf '\n**This part is of another version, or of another GPU.**\n'
            done
        } >"$build/report.md"
    done
    printf '\nThe report: %s\n' "$build/report.md"
    [ -z "$left_over" ] || echo "not run, since $minutes minutes are over:$left_over; 'sh cmake/gpu.sh run$left_over' goes on" >&2
    [ -z "$failed" ] || echo "failed:${failed#;}" >&2
    [ -z "$failed$left_over" ]
}

case ${1:-run} in
pack) shift; pack "$@" ;;
run) [ $# = 0 ] || shift; run "$@" ;;
*) echo "gpu.sh: expected pack or run, found $1" >&2; exit 2 ;;
esac
