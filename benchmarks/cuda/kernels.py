# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""kernels.py FILE.csv: what ncu measured of each kernel of a program, one line for all launches of a kernel; those above 5 % of the time."""
import csv
import re
import sys
from collections import defaultdict

TIME, MEMORY, COMPUTE = "gpu__time_duration.sum", "dram__throughput.avg.pct_of_peak_sustained_elapsed", "sm__throughput.avg.pct_of_peak_sustained_elapsed"


def short(name):
    """The primitive that a kernel is of: its lambda's function, or its operands and tile."""
    product = re.search(r"(\w+_operands)<.*?(\w+_tile<[^>]*>)", name)
    if product:
        return " ".join(product.groups())
    primitive = re.findall(r"::(\w+)\(", name)
    return primitive[-1] if primitive else name[:80]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [line for line in file if line.startswith('"')]  # and what ncu itself says
    launches = defaultdict(dict)
    for row in csv.DictReader(lines):
        launches[row["ID"]]["name"] = row["Kernel Name"]
        launches[row["ID"]][row["Metric Name"]] = float(row["Metric Value"].replace(",", ""))
    if not launches:
        raise SystemExit(f"kernels.py: {sys.argv[1]} has no launch of a kernel")
    of_kernel = defaultdict(list)
    for launch in launches.values():
        of_kernel[short(launch["name"])].append(launch)
    total = sum(launch[TIME] for launch in launches.values())
    print(f"{len(launches)} launches, {total / 1e6:.3f} ms one after another\n{'':6} {'launches':>8} {'ms':>8} {'memory':>7} {'compute':>7}  kernel")
    for name, of in sorted(of_kernel.items(), key=lambda item: -sum(launch[TIME] for launch in item[1])):
        time = sum(launch[TIME] for launch in of)
        if time >= 0.05 * total:
            shares = [sum(launch[TIME] * launch[metric] for launch in of) / time for metric in (MEMORY, COMPUTE)]
            print(f"{100 * time / total:5.1f}% {len(of):8} {time / 1e6:8.3f} {shares[0]:6.1f}% {shares[1]:6.1f}%  {name}")


if __name__ == "__main__":
    main()
