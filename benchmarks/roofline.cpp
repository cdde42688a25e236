// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The kernels of whole meta-steps on one thread, each with its share of their time, its operations a byte and a second: what benchmarks/roofline draws. The
// label of a row has them all from one part in a hundred on, "share%|kernel|extents|FLOP/B|GFLOP/s; …", the longest first.
#include <bilevel/algorithms.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/problem/task.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "counters.hpp"
#include "networks.hpp"
#include "watched.hpp"

namespace {

using namespace benchmarks;
using backend = watched_cpu<float>;

std::string name_of(const record& r) {
    std::string extents;
    for (const integer n : r.extents)
        if (n > 0) (extents += extents.empty() ? "" : "x") += std::to_string(n);
    return std::string(r.name) + '|' + extents;
}

/// A meta-batch of 5-way 1-shot tasks with 15 queries a class, and one step of `make`'s solver on it.
template <class Network, class Make> void run(benchmark::State& state, integer tasks, integer queries, Make make) {
    const integer query = ways * queries, support = ways;
    const auto support_images = drawings(tasks * support * Network::input::count(), 1),
               query_images = drawings(tasks * query * Network::input::count(), 2);
    const auto names = labels(tasks * query);
    const bilevel::episodes_view<float, int> batch{
        tasks, ways, {support, support_images.data(), names.data()}, {query, query_images.data(), names.data()}, names.data()};

    backend cpu({.threads = 1});
    auto solver = make(cpu);
    const auto start = solver.initialise({.seed = 7});
    auto current = start;
    solver.step(current, batch);
    records fastest;
    const stopwatch watch;
    for ([[maybe_unused]] auto _ : state) {
        current = start;
        const records seen = cpu.watch([&] { solver.step(current, batch); });
        // The same calls in the same order: what disturbed a kernel in one step did not in another.
        if (fastest.empty()) fastest = seen;
        for (std::size_t i = 0; i < seen.size(); ++i) fastest[i].seconds = std::min(fastest[i].seconds, seen[i].seconds);
    }
    const record all = total(fastest);
    report_rates(state, watch, all.flops, all.bytes);
    state.counters["triad_GB/s"] = triad_bandwidth() / 1e9;
    state.counters["peak_GFLOP/s"] = peak_flops<float>(1) / 1e9;
    std::string text;
    for (const record& r : by_time(fastest)) {
        if (r.seconds < 0.01 * all.seconds) break;
        char numbers[96];
        std::snprintf(numbers, sizeof numbers, "|%.3f|%.2f", r.flops / r.bytes, r.flops / r.seconds / 1e9);
        char share[16];
        std::snprintf(share, sizeof share, "%.1f%%|", 100 * r.seconds / all.seconds);
        text += (text.empty() ? "" : "; ") + std::string(share) + name_of(r) + numbers;
    }
    state.SetLabel(text);
}

template <class Network, class Make> void add_row(const char* name, integer tasks, integer queries, Make make) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { run<Network>(state, tasks, queries, make); })
        ->Unit(benchmark::kMillisecond)
        ->Iterations(5);
}

template <class Network> constexpr bilevel::task<Network, bilevel::objective::cross_entropy> classification{.outputs = ways};
constexpr bilevel::inner::gradient_descent inner{.steps = 5, .step_size = 0.01};
constexpr integer training_classes = 64;
using resnet = bilevel::nn::resnet12<bilevel::shape<32, 32, 3>>;

[[maybe_unused]] const bool registered = [] {
    add_row<pooled_64>("maml, Omniglot", 4, 15, [](backend& b) { return bilevel::maml(b, classification<pooled_64>, {.inner = inner}); });
    add_row<pooled_32>("maml, mini-ImageNet", 2, 15,
                       [](backend& b) { return bilevel::maml(b, classification<pooled_32>, {.inner = inner}); });
    add_row<resnet>("mtl, ResNet-12, 32x32", 1, 9, [](backend& b) { return bilevel::mtl(b, classification<resnet>, training_classes); });
    return true;
}();

}  // namespace
