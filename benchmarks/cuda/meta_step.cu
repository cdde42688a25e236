// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/cuda.cuh>
#include <bilevel/core/random.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/gradient_program.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

/// Whole meta-steps on a GPU: 32 tasks, five ways, one shot, 75 queries, K = 5 inner steps (iMAML: 16, and five products); MTL of ResNet-12 with
/// 16 tasks of 15 images, its convolutions by tiles and by cuDNN. The first two steps of a row, which take the memory and record the graph, are not timed. TFLOP/s are
/// effective: a convolution counts by its definition.
namespace {

using bilevel::integer;
using backend = bilevel::backend::cuda<float>;
constexpr integer ways = 5, training_classes = 64;
struct extents {
    integer tasks = 32, queries = 75;
};

template <class Network> struct episodes {
    extents of;
    std::vector<float> support = noise(of.tasks * ways * Network::input::count(), 1),
                       query = noise(of.tasks * of.queries * Network::input::count(), 2);
    std::vector<int> support_labels = labels(of.tasks * ways), query_labels = labels(of.tasks * of.queries);
    bilevel::episodes_view<float, int> view{of.tasks,
                                            ways,
                                            {ways, support.data(), support_labels.data()},
                                            {of.queries, query.data(), query_labels.data()},
                                            support_labels.data()};

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
using bilevel::backend::convolution_products;
using bilevel::backend::cuda_settings;
template <class Network, class Make>
void add(const std::string& name, double flops_of_task, Make make, const cuda_settings& settings = {}, extents of = {}) {
    benchmark::RegisterBenchmark(
        name.c_str(),
        [=](benchmark::State& state) {
            episodes<Network> batch{of};
            backend gpu(settings);
            // The images are on the device, as where a set is resident or the next batch is copied beside the step.
            batch.view.support.inputs = gpu.copy_ahead(0, batch.support.data(), static_cast<integer>(batch.support.size()));
            batch.view.query.inputs = gpu.copy_ahead(1, batch.query.data(), static_cast<integer>(batch.query.size()));
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
                state.counters["TFLOP/s"] =
                    benchmark::Counter(flops_of_task * double(of.tasks) / 1e12, benchmark::Counter::kIsIterationInvariantRate);
        })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

template <class Network> void add_network(const std::string& name) {
    using bilevel::autodiff::reading;
    const bilevel::task<Network, bilevel::objective::cross_entropy> task{.outputs = ways};
    const bilevel::inner::gradient_descent five{.steps = 5, .step_size = 0.1}, sixteen{.steps = 16, .step_size = 0.1};
    const double gradient = cost<Network, reading::primal>(ways), product = cost<Network, reading::tangent>(ways),
                 outer = cost<Network, reading::primal>(extents{}.queries);
    const auto maml = [=](backend& b) { return bilevel::maml(b, task, {.inner = five}); };
    add<Network>(name + "/maml", 5 * (gradient + product) + outer, maml);
    add<Network>(name + "/maml_three_tf32", 5 * (gradient + product) + outer, maml, {.arithmetic = arithmetic::three_tf32});
    add<Network>(name + "/maml_tf32", 5 * (gradient + product) + outer, maml, {.arithmetic = arithmetic::tf32});
    add<Network>(name + "/fomaml", 5 * gradient + outer, [=](backend& b) { return bilevel::fomaml(b, task, {.inner = five}); });
    add<Network>(name + "/imaml", 17 * gradient + 5 * product + outer, [=](backend& b) {
        return bilevel::imaml(b, task, 2.0, {.inner = sixteen, .hypergradient = {.linear = {.iterations = 5}}});
    });
    add<Network>(name + "/anil", 0, [=](backend& b) { return bilevel::anil(b, task, {.inner = five}); });
    add<Network>(name + "/mtl", outer, [=](backend& b) { return bilevel::mtl(b, task, training_classes); });
}

void add_resnet12() {
    using network = bilevel::nn::resnet12<bilevel::shape<84, 84, 3>>;
    const extents of{.tasks = 16, .queries = 15};
    const bilevel::task<network, bilevel::objective::cross_entropy> task{.outputs = ways};
    const auto add_row = [=](const std::string& name, const cuda_settings& settings) {
        add<network>(
            "resnet12_84x84x3/" + name, cost<network, bilevel::autodiff::reading::primal>(of.queries),
            [=](backend& b) { return bilevel::mtl(b, task, training_classes); }, settings, of);
    };
    add_row("mtl", {});
    add_row("mtl_tf32", {.arithmetic = arithmetic::tf32});
#ifdef BILEVEL_HAS_CUDNN
    add_row("mtl_cudnn", {.convolutions = convolution_products::cudnn});
    add_row("mtl_cudnn_tf32", {.convolutions = convolution_products::cudnn, .arithmetic = arithmetic::tf32});
#endif
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    try {
        benchmark::AddCustomContext("backend", backend().describe());
        add_network<bilevel::nn::conv4<bilevel::shape<28, 28, 1>, 64>>("conv4_64_28x28x1");
        add_network<bilevel::nn::conv4<bilevel::shape<84, 84, 3>, 32>>("conv4_32_84x84x3");
        add_resnet12();
        benchmark::RunSpecifiedBenchmarks();
    } catch (const bilevel::cuda_error& e) {
        std::fprintf(stderr, "benchmark_cuda_meta_step: %s\n", e.what());
        return 1;
    }
    return 0;
}
