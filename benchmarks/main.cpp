// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cpu.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "peak.hpp"

// As benchmark_main, with what the figures are compared with in the head of the report, short runs unless the user says otherwise, and an error where a
// filter leaves nothing to run.
int main(int argc, char** argv) {
    std::string short_runs = "--benchmark_min_time=0.05", table = "--benchmark_counters_tabular=true";
    std::vector<char*> arguments{argv[0], short_runs.data(), table.data()};
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;

    const auto giga = [](double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%.1f", value / 1e9);
        return std::string(text);
    };
    benchmark::AddCustomContext("backend", bilevel::backend::cpu<float>{}.describe());
    benchmark::AddCustomContext("peak, float, GFLOP/s",
                                giga(benchmarks::peak_flops<float>(1)) + " one thread, " + giga(benchmarks::peak_flops<float>(2)) + " two");
    benchmark::AddCustomContext("peak, double, GFLOP/s", giga(benchmarks::peak_flops<double>(1)) + " one thread, " +
                                                             giga(benchmarks::peak_flops<double>(2)) + " two");
    benchmark::AddCustomContext("triad, one thread, GB/s", giga(benchmarks::triad_bandwidth()));
    if (benchmark::RunSpecifiedBenchmarks() == 0) {
        std::fputs("no benchmark matches the filter\n", stderr);
        return 1;
    }
    benchmark::Shutdown();
    return 0;
}
