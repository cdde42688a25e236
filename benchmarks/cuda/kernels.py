# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""kernels.py FILE.csv: what ncu measured of each kernel of a program, one line for all launches of a kernel; those above 5 % of the time.

    ncu --query-metrics | kernels.py --metrics      prints what ncu has to measure, of what this device has

memory: bytes of the device's memory, beside what it can move. FLOP/s: additions and multiplications of floats that threads executed, those of index arithmetic in
whole numbers not among them, beside a multiply-add a lane and cycle; what the tensor cores do is no part of them. tensor: cycles in which these were busy.
"""
import csv
import re
import sys
from collections import defaultdict

TIME, CYCLES = "gpu__time_duration.sum", "sm__cycles_elapsed.max"
MEMORY = "dram__throughput.avg.pct_of_peak_sustained_elapsed"
TENSOR = "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed"
OPERATIONS = {f"smsp__sass_thread_inst_executed_op_{name}_pred_on.sum": count for name, count in (("fadd", 1), ("fmul", 1), ("ffma", 2))}
LANES = "sm__sass_thread_inst_executed_op_ffma_pred_on.sum.peak_sustained"  # multiply-adds of the device in a cycle
METRICS = [TIME, CYCLES, MEMORY, LANES, *OPERATIONS]


def metrics(listed):
    """A name that the device does not have would end ncu; its tensor cores have another one, or there are none."""
    has_tensor = any(line.split()[:1] == [TENSOR.split(".")[0]] for line in listed)
    return ",".join(METRICS + [TENSOR] * has_tensor)


def short(name):
    """The primitive that a kernel is of: its lambda's function, its operands and tile, or its functor."""
    product = re.search(r"(\w+_operands)<.*?(\w+_tile<[^>]*>)", name)
    if product:
        return " ".join(product.groups())
    functor = re.search(r"call_each<(.*)>\(", name)
    primitive = re.findall(r"::(\w+)\(", functor.group(1) if functor else name)
    if primitive:
        return primitive[-1]
    return re.sub(r"(\w+::)+|\bby_task<", "", functor.group(1) if functor else name)[:80]  # without namespaces, which are the same for all


def read(file):
    """A dictionary of each launch, and what ncu itself says."""
    lines, said = [], []
    for line in file:
        (lines if line.startswith('"') else said).append(line)
    launches = defaultdict(dict)
    for row in csv.DictReader(lines):
        launches[row["ID"]]["name"] = row["Kernel Name"]
        try:
            launches[row["ID"]][row["Metric Name"]] = float(row["Metric Value"].replace(",", ""))
        except ValueError:
            pass  # n/a: ncu could not measure it
    return list(launches.values()), "".join(said)


def mean(of, metric):
    """By time; none where a launch lacks it."""
    if any(metric not in launch for launch in of):
        return None
    return sum(launch[TIME] * launch[metric] for launch in of) / sum(launch[TIME] for launch in of)


def flops(of):
    """Of a second, and of what the lanes could do in the same cycles, in percent."""
    if any(metric not in launch for launch in of for metric in (*OPERATIONS, LANES, CYCLES)):
        return None, None
    done = sum(count * launch[metric] for launch in of for metric, count in OPERATIONS.items())
    possible = sum(2 * launch[LANES] * launch[CYCLES] for launch in of)
    return done / sum(launch[TIME] for launch in of) / 1e3, 100 * done / possible  # nanoseconds


def text(number, unit=""):
    return "-" if number is None else f"{number:.1f}{unit}"


def main():
    if sys.argv[1:] == ["--metrics"]:
        print(metrics(sys.stdin))
        return
    with open(sys.argv[1], encoding="utf-8") as file:
        launches, said = read(file)
    if not any(TIME in launch for launch in launches):
        raise SystemExit(f"kernels.py: {sys.argv[1]} has no launch of a kernel; ncu says\n{said}")
    launches = [launch for launch in launches if TIME in launch]
    of_kernel = defaultdict(list)
    for launch in launches:
        of_kernel[short(launch["name"])].append(launch)
    total = sum(launch[TIME] for launch in launches)
    print(f"{len(launches)} launches, {total / 1e6:.3f} ms one after another")
    print(f"{'':6} {'launches':>8} {'ms':>8} {'memory':>7} {'TFLOP/s':>7} {'of peak':>7} {'tensor':>7}  kernel")
    for name, of in sorted(of_kernel.items(), key=lambda item: -sum(launch[TIME] for launch in item[1])):
        time = sum(launch[TIME] for launch in of)
        if time >= 0.05 * total:
            done, share = flops(of)
            print(f"{100 * time / total:5.1f}% {len(of):8} {time / 1e6:8.3f} {text(mean(of, MEMORY), '%'):>7} {text(done):>7} {text(share, '%'):>7} "
                  f"{text(mean(of, TENSOR), '%'):>7}  {name}")


if __name__ == "__main__":
    main()
