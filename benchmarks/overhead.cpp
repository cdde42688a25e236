// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What the solver itself costs: a step on objectives of one number that compute nothing.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/problem/own_episode.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

using bilevel::integer;

struct no_op {
    double value(const auto&) const { return 0; }
    auto gradient(const auto& y) const { return y; }
    auto hessian_vector(const auto&, const auto& v) const { return v; }
};
using task = bilevel::levels<no_op, no_op>;
using episode = bilevel::problem::episode<task>;
using backend = bilevel::backend::cpu<double>;
namespace hypergradient = bilevel::hypergradient;

template <class Problem, class Hypergradient>
void step(benchmark::State& state, const Problem& problem, integer tasks, integer inner_steps, integer threads) {
    backend cpu({threads});
    bilevel::solver<backend, Problem, Hypergradient, bilevel::inner::gradient_descent, bilevel::outer::adam> solver(
        cpu, problem, {.inner = {.steps = inner_steps, .step_size = 0.1}});
    auto current = solver.initialise({});
    const std::vector<task> batch(static_cast<std::size_t>(tasks));
    solver.step(current, batch);
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(solver.step(current, batch));
    using benchmark::Counter;
    state.counters["s/task"] = Counter(double(tasks), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

template <class Hypergradient, class Problem> void register_policy(const std::string& name, const Problem& problem) {
    for (const integer threads : {1, 2}) {
        for (const integer tasks : {1, 16, 256}) {
            for (const integer inner_steps : {1, 5}) {
                benchmark::RegisterBenchmark(
                    (name + "/tasks:" + std::to_string(tasks) + "/K:" + std::to_string(inner_steps) + "/threads:" + std::to_string(threads))
                        .c_str(),
                    [=](benchmark::State& state) { step<Problem, Hypergradient>(state, problem, tasks, inner_steps, threads); })
                    ->UseRealTime();
            }
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    episode start;
    start.initial = Eigen::VectorXd::Ones(1);
    bilevel::problem::proximal<episode> pulled;
    pulled.initial = start.initial;
    register_policy<hypergradient::unrolled>("maml", start);
    register_policy<hypergradient::first_order>("fomaml", start);
    register_policy<hypergradient::implicit_cg>("imaml", pulled);
    return true;
}();

}  // namespace
