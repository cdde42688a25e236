// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/algorithms.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/problem/task.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include "counters.hpp"
#include "heap.hpp"
#include "networks.hpp"
#include "watched.hpp"

/// A whole meta-step against the number K of inner steps, for every algorithm: 4 tasks of Omniglot's shape, 5-way 1-shot, one query a class. Operations
/// and bytes are those of the step's own kernel calls, each billed by the cost kernels; peak_MB is what backend, solver and state hold at most, counted at
/// the heap; the label names the primitives that take longest.
namespace benchmarks::meta_step {

using backend = watched_cpu<float>;
using bilevel::hypergradient::planes;
inline constexpr integer tasks = 4, training_classes = 64;

/// A meta-batch that owns its drawings.
template <class Network> struct episodes {
    bilevel::aligned_vector<float> support = drawings(tasks * ways * Network::input::count(), 1),
                                   query = drawings(tasks * ways * Network::input::count(), 2);
    std::vector<int> names = labels(tasks * ways), classes = names;
    bilevel::episodes_view<float, int> view{
        tasks, ways, {ways, support.data(), names.data()}, {ways, query.data(), names.data()}, classes.data()};
};

/// Make: a solver from a backend.
template <class Network, class Make> void run(benchmark::State& state, Make make, integer threads) {
    const episodes<Network> batch;
    const heap::watermark memory;
    backend cpu({.threads = threads});
    auto solver = make(cpu);
    const auto start = solver.initialise({.seed = 7});
    auto current = start;
    solver.step(current, batch.view);
    const double peak_bytes = double(memory.most());
    current = start;
    const records seen = cpu.watch([&] { solver.step(current, batch.view); });
    const stopwatch watch(threads);
    for ([[maybe_unused]] auto _ : state) {
        current = start;  // every iteration does the same: at another point, conjugate gradients might stop elsewhere
        benchmark::DoNotOptimize(solver.step(current, batch.view));
    }
    const record all = total(seen);
    report_rates(state, watch, all.flops, all.bytes);
    state.counters["GFLOP"] = all.flops / 1e9;
    state.counters["GB"] = all.bytes / 1e9;
    state.counters["peak_MB"] = peak_bytes / 1e6;
    state.SetLabel(longest(seen));
}

template <class Network> void register_network(const std::string& name) {
    using task = bilevel::task<Network, bilevel::objective::cross_entropy>;
    const auto row = [&](const std::string& what, auto make) {
        for (const integer threads : {1, 2}) {
            benchmark::RegisterBenchmark((name + "/" + what + "/threads:" + std::to_string(threads)).c_str(),
                                         [=](benchmark::State& state) { run<Network>(state, make, threads); })
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
        }
    };
    const task omniglot_task{.outputs = ways};
    row("mtl", [=](backend& b) { return bilevel::mtl(b, omniglot_task, training_classes); });
    for (const integer steps : {1, 5, 16}) {
        const std::string k = "/K:" + std::to_string(steps);
        const bilevel::inner::gradient_descent inner{.steps = steps, .step_size = 0.01};
        row("fomaml" + k, [=](backend& b) { return bilevel::fomaml(b, omniglot_task, {.inner = inner}); });
        row("maml" + k, [=](backend& b) { return bilevel::maml(b, omniglot_task, {.inner = inner}); });
        row("maml_recomputed" + k,
            [=](backend& b) { return bilevel::maml(b, omniglot_task, {.inner = inner, .hypergradient = {.planes = planes::recomputed}}); });
        row("imaml" + k, [=](backend& b) {
            return bilevel::imaml(b, omniglot_task, 2.0, {.inner = inner, .hypergradient = {.linear = {.iterations = 5}}});
        });
        row("anil" + k, [=](backend& b) { return bilevel::anil(b, omniglot_task, {.inner = inner}); });
    }
}

}  // namespace benchmarks::meta_step
