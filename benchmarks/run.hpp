// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

namespace benchmarks {

/// As benchmark_main, with short runs unless the user says otherwise, prepare() for rows and for what the figures are compared with in the head of the report,
/// and an error where a filter leaves nothing to run. Returns the program's status.
template <class Prepare> int run(int argc, char** argv, Prepare prepare) {
    std::string short_runs = "--benchmark_min_time=0.05", table = "--benchmark_counters_tabular=true";
    std::vector<char*> arguments{argv[0], short_runs.data(), table.data()};
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
    prepare();
    if (benchmark::RunSpecifiedBenchmarks() == 0) {
        std::fputs("no benchmark matches the filter\n", stderr);
        return 1;
    }
    benchmark::Shutdown();
    return 0;
}

inline std::string in_giga(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value / 1e9);
    return text;
}

}  // namespace benchmarks
