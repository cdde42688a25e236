// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/cuda.cuh>
#include <bilevel/core/random.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/gradient_program.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

/// Whole meta-steps on a GPU: 32 tasks, five ways, one shot, 75 queries, K = 5 inner steps (iMAML: 16, and five products). The first two steps of a row, which take
/// the memory and record the graph, are not timed. TFLOP/s are effective: a convolution counts by its definition.
namespace {

using bilevel::integer;
using backend = bilevel::backend::cuda<float>;
constexpr integer tasks = 32, ways = 5, queries = 75, training_classes = 64;

template <class Network> struct episodes {
    std::vector<float> support = noise(tasks * ways * Network::input::count(), 1),
                       query = noise(tasks * queries * Network::input::count(), 2);
    std::vector<int> support_labels = labels(tasks * ways), query_labels = labels(tasks * queries);
    bilevel::episodes_view<float, int> view{
        tasks, ways, {ways, support.data(), support_labels.data()}, {queries, query.data(), query_labels.data()}, support_labels.data()};

    static std::vector<float> noise(integer count, std::uint64_t stream) {
        bilevel::random::generator generator(7, bilevel::random::purpose::user, stream);
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float& value : values) value = static_cast<float>(generator.uniform(0, 1));
        return values;
    }
    static std::vector<int> labels(integer count) {
        std::vector<int> all(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i % ways);
        return all;
    }
};

/// Operations of a gradient, or of its derivative along a direction, on `count` images.
template <class Network, bilevel::autodiff::reading Reading> double cost(integer count) {
    return bilevel::objective::gradient_program<Network, bilevel::objective::cross_entropy>::template cost<Reading, float>(1, count, ways)
        .flops;
}

using bilevel::backend::arithmetic;
template <class Network, class Make>
void add(const std::string& name, double flops_of_task, Make make, arithmetic products = arithmetic::fp32) {
    benchmark::RegisterBenchmark(
        name.c_str(),
        [=](benchmark::State& state) {
            const episodes<Network> batch;
            backend gpu({.arithmetic = products});
            auto solver = make(gpu);
            auto s = solver.initialise({.seed = 7});
            for (int i = 0; i < 2; ++i) solver.step(s, batch.view);
            for ([[maybe_unused]] auto _ : state) {
                const auto begin = std::chrono::steady_clock::now();
                benchmark::DoNotOptimize(solver.step(s, batch.view).loss);
                state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
            }
            state.counters["kernels"] = double(gpu.kernels_of_graph());
            if (flops_of_task > 0)
                state.counters["TFLOP/s"] = benchmark::Counter(flops_of_task * tasks / 1e12, benchmark::Counter::kIsIterationInvariantRate);
        })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

template <class Network> void add_network(const std::string& name) {
    using bilevel::autodiff::reading;
    const bilevel::task<Network, bilevel::objective::cross_entropy> task{.outputs = ways};
    const bilevel::inner::gradient_descent five{.steps = 5, .step_size = 0.1}, sixteen{.steps = 16, .step_size = 0.1};
    const double gradient = cost<Network, reading::primal>(ways), product = cost<Network, reading::tangent>(ways),
                 outer = cost<Network, reading::primal>(queries);
    const auto maml = [=](backend& b) { return bilevel::maml(b, task, {.inner = five}); };
    add<Network>(name + "/maml", 5 * (gradient + product) + outer, maml);
    add<Network>(name + "/maml_three_tf32", 5 * (gradient + product) + outer, maml, arithmetic::three_tf32);
    add<Network>(name + "/maml_tf32", 5 * (gradient + product) + outer, maml, arithmetic::tf32);
    add<Network>(name + "/fomaml", 5 * gradient + outer, [=](backend& b) { return bilevel::fomaml(b, task, {.inner = five}); });
    add<Network>(name + "/imaml", 17 * gradient + 5 * product + outer, [=](backend& b) {
        return bilevel::imaml(b, task, 2.0, {.inner = sixteen, .hypergradient = {.linear = {.iterations = 5}}});
    });
    add<Network>(name + "/anil", 0, [=](backend& b) { return bilevel::anil(b, task, {.inner = five}); });
    add<Network>(name + "/mtl", outer, [=](backend& b) { return bilevel::mtl(b, task, training_classes); });
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    try {
        benchmark::AddCustomContext("backend", backend().describe());
        add_network<bilevel::nn::conv4<bilevel::shape<28, 28, 1>, 64>>("conv4_64_28x28x1");
        add_network<bilevel::nn::conv4<bilevel::shape<84, 84, 3>, 32>>("conv4_32_84x84x3");
        benchmark::RunSpecifiedBenchmarks();
    } catch (const bilevel::cuda_error& e) {
        std::fprintf(stderr, "benchmark_cuda_meta_step: %s\n", e.what());
        return 1;
    }
    return 0;
}
