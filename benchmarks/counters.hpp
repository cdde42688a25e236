// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <ctime>

#include "peak.hpp"

namespace benchmarks {

/// Seconds of one benchmark's loop: of the processor for one thread, which others on the machine disturb less, of the clock for several.
/// Make it just before the loop.
class stopwatch {
public:
    explicit stopwatch(integer threads = 1) : threads_(threads), begin_(now()) {}
    integer threads() const { return threads_; }
    double seconds() const { return now() - begin_; }

private:
    double now() const {
        if (threads_ == 1) return double(std::clock()) / CLOCKS_PER_SEC;
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }

    integer threads_;
    double begin_;
};

/// The columns of every row: operations and bytes a second as the cost kernels bill them, and the share of what the threads can do at most.
/// Call it just after the loop, with the bill of one iteration.
inline void report_rates(benchmark::State& state, const stopwatch& watch, double flops, double bytes) {
    using benchmark::Counter;
    const double each = watch.seconds() / double(state.iterations());
    state.counters["FLOP/s"] = Counter(flops / each, Counter::kDefaults, Counter::kIs1000);
    state.counters["B/s"] = Counter(bytes / each, Counter::kDefaults, Counter::kIs1000);
    state.counters["peak_%"] = 100 * flops / each / peak_flops<float>(watch.threads());
}

}  // namespace benchmarks
