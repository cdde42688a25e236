// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The loss of a whole network on one support set: its gradient, a linearization (the gradient, with everything kept that products need), and one product
// with the Hessian. `gradients` is the time of a row in gradients of the same network, measured beside it.
#include <bilevel/backend/cpu.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/gradient_program.hpp>
#include <bilevel/problem/network_inner.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "counters.hpp"
#include "networks.hpp"
#include "watched.hpp"

namespace {

using namespace benchmarks;
using bilevel::rows;
using bilevel::autodiff::reading;
using loss = bilevel::objective::cross_entropy;

/// One network at one point, with one support set.
template <class Network> class subject {
public:
    using kernels = watched_kernels<float>;
    static constexpr bilevel::activity wanted = bilevel::activity::adjoint;
    using plain = bilevel::objective::gradient_program<Network, loss, wanted, wanted>;
    using linearized = bilevel::objective::gradient_program<Network, loss>;

    explicit subject(integer count)
        : inputs_(drawings(count * Network::input::count())), labels_(labels(count)),
          examples_{1, count, ways, inputs_.data(), labels_.data()}, inner_(1, count, ways, {.slots = 1, .second_order = true}),
          memory_(bilevel::bytes_of_rows<float>(4, 1, Network::size(ways))) {
        for (auto* vector : {&y_, &g_, &v_, &h_}) *vector = bilevel::take_rows<float>(memory_, 1, Network::size(ways));
        Network::initialise(y_.data, ways, 1);
        Network::initialise(v_.data, ways, 2);
    }
    // The first of its kind on these examples: no row finds what another one computed of them.
    void gradient() {
        inner_.bind(examples_);
        inner_.gradient(kernels_, y_, g_);
    }
    void linearize() {
        inner_.bind(examples_);
        inner_.linearize(kernels_, 0, y_, g_);
    }
    void product() { inner_.along(kernels_, 0, v_, h_); }

    /// The least of several times: what a gradient takes when nobody disturbs it.
    double seconds_of_a_gradient() {
        double best = std::numeric_limits<double>::infinity();
        for (int i = 0; i < 5; ++i) {
            const stopwatch watch;
            gradient();
            best = std::min(best, watch.seconds());
        }
        return best;
    }

private:
    bilevel::aligned_vector<float> inputs_;
    std::vector<int> labels_;
    bilevel::objective::examples_block<float, int> examples_;
    bilevel::backend::cpu_kernels<float> cpu_;
    kernels kernels_{cpu_};
    bilevel::problem::network_inner<kernels, Network, loss> inner_;
    bilevel::workspace memory_;
    rows<float> y_{}, g_{}, v_{}, h_{};
};

template <class Network, class Program>
void measure(benchmark::State& state, const bilevel::backend::bill& bill, integer count, Program program) {
    subject<Network> s(count);
    s.linearize();
    const double gradient = s.seconds_of_a_gradient();
    double best = std::numeric_limits<double>::infinity();
    const stopwatch whole;
    for ([[maybe_unused]] auto _ : state) {
        const stopwatch watch;
        program(s);
        best = std::min(best, watch.seconds());
    }
    report_rates(state, whole, bill.flops, bill.bytes);
    state.counters["gradients"] = best / gradient;
    state.counters["MFLOP"] = bill.flops / 1e6;
}

template <class Network> void register_network(const std::string& name, integer count) {
    using subject = ::subject<Network>;
    const auto row = [&](const char* what, const bilevel::backend::bill& bill, auto program) {
        benchmark::RegisterBenchmark((name + "/examples:" + std::to_string(count) + "/" + what).c_str(), [=](benchmark::State& state) {
            measure<Network>(state, bill, count, program);
        })->Unit(benchmark::kMicrosecond);
    };
    row("gradient", subject::plain::template cost<reading::primal, float>(1, count, ways), [](subject& s) { s.gradient(); });
    row("linearize", subject::linearized::template cost<reading::primal, float>(1, count, ways), [](subject& s) { s.linearize(); });
    row("hessian_vector", subject::linearized::template cost<reading::tangent, float>(1, count, ways), [](subject& s) { s.product(); });
}

[[maybe_unused]] const bool registered = [] {
    for (const integer count : {ways, 5 * ways}) {
        register_network<strided_64>("strided_conv4_64/28x28x1", count);
        register_network<pooled_64>("conv4_64/28x28x1", count);
    }
    return true;
}();

}  // namespace
