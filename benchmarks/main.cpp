// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cpu.hpp>

#include <benchmark/benchmark.h>

#include "peak.hpp"
#include "run.hpp"

int main(int argc, char** argv) {
    using namespace benchmarks;
    return run(argc, argv, [] {
        benchmark::AddCustomContext("backend", bilevel::backend::cpu<float>{}.describe());
        benchmark::AddCustomContext("peak, float, GFLOP/s",
                                    in_giga(peak_flops<float>(1)) + " one thread, " + in_giga(peak_flops<float>(2)) + " two");
        benchmark::AddCustomContext("peak, double, GFLOP/s",
                                    in_giga(peak_flops<double>(1)) + " one thread, " + in_giga(peak_flops<double>(2)) + " two");
        benchmark::AddCustomContext("triad, one thread, GB/s", in_giga(triad_bandwidth()));
    });
}
