# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""Times the same hypergradients in bilevel and in other libraries: in turn, on the same arrays, with the same number of threads.

A row is timed where the hypergradients agree: in double to 1e-9 on the arrays that are timed (on a device on two of their tasks), in float to 1e-4 at the median of several small inputs
(rows in TF32 in double alone).
(Small, since rounding that flips a single ReLU moves a hypergradient by 1e-4 to 1e-2, and among the millions of a whole batch there is always one.)
Milliseconds are the median over all evaluations after the first, of the whole batch of tasks.
"""
import argparse
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cases import CASES

HERE = Path(__file__).resolve().parent
AGREEMENT = {"double": 1e-9, "float": 1e-4}


# The peers, beside a program of ours that is compiled for that: what oneDNN, PyTorch's own kernels and XLA read.
INSTRUCTIONS = {"native": {}, "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}}


def environment(threads, device, instructions="native"):
    """OpenBLAS chooses its kernels itself, glibc keeps the memory that it has, and every pool of threads has the same size. On the cpu nobody sees a GPU."""
    env = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    env.update(MALLOC_TRIM_THRESHOLD_="100000000000", MALLOC_MMAP_THRESHOLD_="4000000000", MALLOC_TOP_PAD_="100000000",
               PYTHONWARNINGS="ignore")
    if device == "cpu":
        env.update(CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    else:
        # The device's memory is for both sides; no silent run on the cpu; what one process has compiled the next one need not.
        env.update(XLA_PYTHON_CLIENT_PREALLOCATE="false", JAX_PLATFORMS="cuda", TF_CPP_MIN_LOG_LEVEL="3",
                   JAX_COMPILATION_CACHE_DIR=os.path.join(tempfile.gettempdir(), "bilevel_jax_cache"),
                   JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        env[name] = str(threads)
    env.update(INSTRUCTIONS[instructions])
    return env


class Disagreement(Exception):
    pass


class Failure(Exception):
    """One side has ended with an error: its library is not there, or the memory is not."""


class Ours:
    def __init__(self, program, case, scalar, threads, device="cpu", how=()):
        self.command = [program, *case.settings(), f"--scalar={scalar}", f"--threads={threads}", f"--backend={device}", *how]
        self.environment = environment(threads, device)

    def run(self, *arguments):
        done = subprocess.run([*self.command, *arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{' '.join([*self.command, *arguments])}:\n{done.stderr}")
        return done.stdout

    def evaluate(self, folder, output, repeat=0):
        lines = self.run(f"--input={folder}", f"--output={output}", f"--repeat={repeat}").splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines)}


class Peer:
    """A process that stays: what it imports and compiles is not paid again."""

    def __init__(self, name, case, scalar, threads, layout, device="cpu", instructions="native"):
        script = "jax_peer.py" if name.startswith("jax") else "torch_peer.py"
        command = [sys.executable, str(HERE / script), f"--peer={name}", *case.settings(), f"--scalar={scalar}", f"--threads={threads}",
                   f"--layout={layout}", f"--device={device}"]
        self.process = subprocess.Popen(command, env=environment(threads, device, instructions), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, and says nothing more
        answer = self.process.stdout.readline()
        if not answer:
            raise Failure(f"{' '.join(self.process.args)} ended with status {self.process.wait()}")
        return answer.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def relative_error(a, b):
    a, b = np.load(a).astype(np.float64), np.load(b).astype(np.float64)
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def make_examples(ours, case, folder, count):
    """Of the program in double: the runs in float round the same numbers."""
    folders = [folder / f"{case.name}_{seed}" for seed in range(1, count + 1)]
    for seed, example in enumerate(folders, 1):
        if not example.exists():
            ours.run(f"--write-example={example}", *case.example(), f"--seed={seed}")
    return folders


def make_layout(ours, case, folder):
    layout = folder / f"{case.name}.layout"
    layout.write_text(ours.run("--layout", *case.example()))
    return layout


def errors(ours, peer, folders, scratch):
    all_errors = []
    for folder in folders:
        ours.evaluate(folder, scratch / "ours.npy")
        peer.ask(f"load {folder}")
        peer.ask(f"write {scratch / 'peer.npy'}")
        all_errors.append(relative_error(scratch / "ours.npy", scratch / "peer.npy"))
    return all_errors


def how_ours_computes(case, name, scalar, options):
    """The arguments of our program that the row and the command line ask for; tensor cores and cuDNN are for floats alone."""
    planes = ["--planes=recomputed"] if case.planes == "recomputed" else []
    if options.device == "cpu":
        return [*planes, f"--convolution={options.convolution}"]
    if scalar == "double":
        return planes
    return [*planes, f"--arithmetic={'tf32' if name.endswith('_tf32') else options.arithmetic}", *(["--cudnn"] if options.cudnn else [])]


def check(case, name, threads, options, scratch, known):
    """The median errors in float and in double; `known` are those in double of the rows before, which a row in TF32 shares."""
    in_fp32 = (case.name, name.removesuffix("_tf32"))
    found = {"double": known[in_fp32]} if in_fp32 in known else {}
    of_double = case.for_double() if options.device == "cuda" else case
    for scalar, of, count in (("double", of_double, 1), ("float", case.for_float(), options.inputs)):
        if scalar in found:
            continue
        folders = make_examples(Ours(options.program, of, "double", threads), of, scratch, count)
        ours = Ours(options.program, of, scalar, threads, options.device, how_ours_computes(of, name, scalar, options))
        with Peer(name, of, scalar, threads, make_layout(ours, of, scratch), options.device, options.instructions) as peer:
            found[scalar] = statistics.median(errors(ours, peer, folders, scratch))
        rounds_factors = scalar == "float" and name.endswith("_tf32")  # to ten bits, which is what such a row shows
        if not rounds_factors and not found[scalar] <= AGREEMENT[scalar]:
            raise Disagreement(f"in {scalar} the hypergradients differ by {found[scalar]:.2g} (expected at most {AGREEMENT[scalar]:g}); not timed")
    known[in_fp32] = found["double"]
    return found


def measure(case, name, threads, options, scratch):
    """Both sides in turn, in float: medians of ours, milliseconds and memory of the peer."""
    ours = Ours(options.program, case, "float", threads, options.device, how_ours_computes(case, name, "float", options))
    folder = make_examples(Ours(options.program, case, "double", threads), case, scratch, 1)[0]
    with Peer(name, case, "float", threads, make_layout(ours, case, scratch), options.device, options.instructions) as peer:
        peer.ask(f"load {folder}")
        peer.ask(f"write {scratch / 'peer.npy'}")  # the first evaluation, which compiles
        mine, others = [], []
        for _ in range(options.rounds):
            mine.append(ours.evaluate(folder, scratch / "ours.npy", options.repeat))
            others += [float(each) for each in peer.ask(f"time {options.repeat}").split()]
        memory = float(peer.ask("memory"))
    # What was timed: not the digits, which `check` has seen at sizes where few ReLUs flip, but that both sides did the same at this size.
    difference = relative_error(scratch / "ours.npy", scratch / "peer.npy")
    if not (difference <= 0.1 or name.endswith("_tf32")):
        raise Disagreement(f"at the size that was timed the hypergradients differ by {difference:.2g} (expected at most 0.1)")
    result = {key: statistics.median(run[key] for run in mine) for key in mine[0]}
    # A probe of the peak that a neighbour disturbed is low: the highest of the rounds is the machine's.
    peak = max(run["peak_gflops"] for run in mine)
    return result | {"peak_gflops": peak, "share_of_peak": result["gflop"] / (result["milliseconds"] / 1e3) / peak}, statistics.median(others), memory


def compare(case, name, threads, error, options, scratch):
    """One row of the table."""
    ours, peer_ms, peer_memory = measure(case, name, threads, options, scratch)
    return {"case": case.name, "threads": threads, "ours_ms": ours["milliseconds"], "peer": name, "peer_ms": peer_ms,
            "ratio": peer_ms / ours["milliseconds"], "gflop": ours["gflop"], "share_of_peak": ours["share_of_peak"], "rss_mb": ours["peak_rss_mb"],
            "peer_rss_mb": peer_memory, "gradient_error": error["float"], "gradient_error_of": case.difference_of_small(),
            "gradient_error_in_double": error["double"]}


def version_of(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="a regular expression for the beginning of names such as maml_omniglot/autograd")
    parser.add_argument("--threads", default="1,2", help="such as 1,2")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: 32 tasks at once on both sides, on the current GPU")
    parser.add_argument("--convolution", default="automatic", help="how ours convolves on the cpu, such as winograd_4x4; see hypergradient --help")
    parser.add_argument("--arithmetic", choices=["fp32", "three_tf32"], default="fp32", help="of ours on a device, beside the peers in FP32")
    parser.add_argument("--cudnn", action="store_true", help="ours convolves by cuDNN what it hands to that, on a device")
    parser.add_argument("--instructions", choices=sorted(INSTRUCTIONS), default="native",
                        help="avx2: the peers use no wider vectors, beside a program of ours built by the preset avx2")
    parser.add_argument("--json", help="file for the rows")
    parser.add_argument("--rounds", type=int, default=5, help="how often both sides take turns")
    parser.add_argument("--repeat", type=int, default=3, help="timed evaluations of a side in a round")
    parser.add_argument("--inputs", type=int, default=9, help="on which float must agree")
    parser.add_argument("--program", default=str(HERE.parent.parent / "build/release/examples/hypergradient"), help="the exchange program")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"there is no program {options.program}: build the example 'hypergradient', or say --program")
    options.program = str(Path(options.program).resolve())
    options.threads = [int(count) for count in options.threads.split(",")]
    most = len(os.sched_getaffinity(0))
    if options.device == "cuda":
        options.threads = [most]  # of the host, which has little to do
    if min(options.threads) < 1 or max(options.threads) > most:
        parser.error(f"--threads: expected 1 to {most}, the processors that there are")
    return options


def main():
    options = parse()
    cases = CASES if options.device == "cpu" else [case.on_device() for case in CASES]
    rows = [(case, peer) for case in cases for peer in case.peers if re.match(options.rows, f"{case.name}/{peer}")]
    if not rows:
        raise SystemExit(f"compare: no row matches {options.rows!r}; there are " + ", ".join(f"{c.name}/{p}" for c in cases for p in c.peers))
    print("against " + ", ".join(f"{name} {version}" for name in ("torch", "torchopt", "higher", "jax") if (version := version_of(name))))
    print(f"{'case':22} {'threads':>7} {'ours ms':>9} {'peer':10} {'peer ms':>9} {'ratio':>6} {'GFLOP':>7} {'of peak':>7} {'MB':>6} {'peer MB':>7} "
          f"{'error':>8} {'double':>8}")
    results, known, refused = [], {}, 0
    if options.json:  # so that no figures of an earlier run stay where every row is refused
        Path(options.json).write_text("[]\n")
    with tempfile.TemporaryDirectory() as scratch:
        for case, peer in rows:
            try:
                error = check(case, peer, max(options.threads), options, Path(scratch), known)
                for threads in options.threads:
                    row = compare(case, peer, threads, error, options, Path(scratch))
                    results.append(row)
                    print(f"{row['case']:22} {threads:7} {row['ours_ms']:9.1f} {peer:10} {row['peer_ms']:9.1f} {row['ratio']:6.2f} {row['gflop']:7.1f} "
                          f"{100 * row['share_of_peak']:6.0f}% {row['rss_mb']:6.0f} {row['peer_rss_mb']:7.0f} {row['gradient_error']:8.1e} "
                          f"{row['gradient_error_in_double']:8.1e}", flush=True)
                    if options.json:  # after every row: a run that is stopped keeps what it has
                        Path(options.json).write_text(json.dumps(results, indent=2) + "\n")
            except (Disagreement, Failure) as why:
                print(f"{case.name:22} {'':7} {peer}: {why}", flush=True)
                refused += 1
    raise SystemExit(1 if refused else 0)


if __name__ == "__main__":
    main()
