# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""What every peer does but for the arithmetic: it reads the arrays of the exchange (the example 'hypergradient'), and obeys lines on its input.

    load DIR            reads the arrays of a folder
    write FILE          evaluates once, writes the hypergradient (P), answers with the loss
    time N              evaluates N times, answers with the milliseconds of each
    memory              answers with the most memory of the process until now, in MB
"""
import argparse
import math
import os
import sys
import time
from pathlib import Path

import numpy as np


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    parser.add_argument("--algorithm", required=True, choices=["maml", "fomaml", "anil", "imaml", "mtl"])
    parser.add_argument("--network", required=True, choices=["conv4", "resnet12", "mlp"])
    parser.add_argument("--filters", type=int, required=True)
    parser.add_argument("--inner-steps", type=int, required=True)
    parser.add_argument("--inner-rate", type=float, required=True)
    parser.add_argument("--proximal-weight", type=float, required=True)
    parser.add_argument("--cg-iterations", type=int, required=True)
    parser.add_argument("--cg-damping", type=float, required=True)
    parser.add_argument("--scalar", choices=["float", "double"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--layout", required=True, help="the file of what 'hypergradient --layout' prints")
    return parser.parse_args()


class Layout:
    """Where each parameter array lies in the flat vector; what lies between them is padding."""

    def __init__(self, file):
        self.arrays = []
        for line in Path(file).read_text().splitlines():
            name, offset, shape, _axes = line.split()
            self.arrays.append((name, int(offset), tuple(int(extent) for extent in shape.split(","))))

    def split(self, vector):
        return {name: vector[at : at + math.prod(shape)].reshape(shape) for name, at, shape in self.arrays}

    def join(self, arrays, size):
        vector = np.zeros(size, next(iter(arrays.values())).dtype)
        for name, at, shape in self.arrays:
            assert arrays[name].shape == shape, (name, arrays[name].shape, shape)
            vector[at : at + math.prod(shape)] = arrays[name].ravel()
        return vector


class Input:
    """The arrays of a folder in the scalar of the run; labels as int64."""

    def __init__(self, folder, scalar, is_mtl):
        def read(name, kind):
            return np.load(Path(folder) / f"{name}.npy").astype(kind)

        real = {"float": np.float32, "double": np.float64}[scalar]
        self.parameters = read("parameters", real)
        self.query_images, self.query_labels = read("query_images", real), read("query_labels", np.int64)
        if is_mtl:
            self.classes = read("classes", np.int64)
        else:
            self.support_images, self.support_labels = read("support_images", real), read("support_labels", np.int64)


def peak_rss_mb():
    """By /proc: getrusage also counts what the process had before it became this program."""
    return next(int(line.split()[1]) * 1024 / 1e6 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))


def serve(options, make):
    """make(parameters by name, Input) returns a call without arguments that computes (loss, hypergradient in the peer's own form) to its end, and one
    that makes a dictionary of numpy arrays in the exchange's form of that hypergradient."""
    layout = Layout(options.layout)
    evaluate = to_numpy = arrays = None
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "load":
            arrays = Input(argument, options.scalar, options.algorithm == "mtl")
            evaluate, to_numpy = make(layout.split(arrays.parameters), arrays)
            answer = "loaded"
        elif command == "write":
            loss, gradient = evaluate()
            np.save(argument, layout.join(to_numpy(gradient), arrays.parameters.size))
            answer = repr(float(loss))
        elif command == "time":
            each = []
            for _ in range(int(argument)):
                begin = time.perf_counter()
                evaluate()
                each.append(repr(1e3 * (time.perf_counter() - begin)))
            answer = " ".join(each)
        elif command == "memory":
            answer = repr(peak_rss_mb())
        else:
            raise SystemExit(f"{sys.argv[0]}: unknown command {line!r}")
        print(answer, flush=True)


def keep_to_threads(threads):
    """For libraries whose pools follow the processors that they may run on."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
