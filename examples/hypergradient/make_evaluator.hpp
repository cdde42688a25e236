// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "hypergradient/instances.hpp"

#include <bilevel/algorithms.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/problem/task.hpp>

#include <memory>
#include <utility>

namespace exchange {

/// A solver as an evaluator.
template <class Solver> class evaluator_of final : public evaluator<typename Solver::scalar> {
public:
    using scalar = typename Solver::scalar;
    explicit evaluator_of(Solver solver) : solver_(std::move(solver)), state_(solver_.initialise({})) {}

    void move_to(const bilevel::aligned_vector<scalar>& parameters) override {
        // Into the state's own memory, which the backend shares: an assignment would bring the host's, from which every call would upload.
        state_.parameters.assign(parameters.begin(), parameters.end());
    }
    bilevel::hypergradient_view<scalar> operator()(const bilevel::episodes_view<scalar, int>& batch) override {
        return solver_.view_hypergradient(state_, batch);
    }

private:
    Solver solver_;
    typename Solver::state_type state_;
};

/// Of the algorithms with an inner loop.
template <class Backend, class Task, class Erase>
std::unique_ptr<evaluator<typename Backend::scalar>> make_inner_evaluator(Backend& on, const settings& s, const Task& task, Erase erased) {
    using bilevel::hypergradient::planes;
    const bilevel::inner::gradient_descent inner{.steps = s.inner_steps, .step_size = s.inner_rate};
    const bilevel::hypergradient::unrolled unrolled{.planes = s.planes == "kept" ? planes::kept : planes::recomputed};
    if (s.algorithm == "fomaml") return erased(bilevel::fomaml(on, task, {.inner = inner}));
    if (s.algorithm == "anil") return erased(bilevel::anil(on, task, {.inner = inner, .hypergradient = unrolled}));
    if (s.algorithm == "imaml")
        return erased(
            bilevel::imaml(on, task, s.proximal_weight,
                           {.inner = inner, .hypergradient = {.linear = {.iterations = s.cg_iterations, .damping = s.cg_damping}}}));
    return erased(bilevel::maml(on, task, {.inner = inner, .hypergradient = unrolled}));
}

/// Of any backend.
template <class Network, class Backend>
std::unique_ptr<evaluator<typename Backend::scalar>> make_evaluator_on(Backend& on, const settings& s, integer outputs) {
    const auto erased = [](auto solver) -> std::unique_ptr<evaluator<typename Backend::scalar>> {
        return std::make_unique<evaluator_of<decltype(solver)>>(std::move(solver));
    };
    const bilevel::task<Network, bilevel::objective::cross_entropy> task{.outputs = s.is_mtl() ? s.ways : outputs};
    if (s.algorithm == "mtl") return erased(bilevel::mtl(on, task, outputs));
    if constexpr (for_mtl_alone<Network>) {
        return nullptr;  // find_network has refused it
    } else {
        return make_inner_evaluator(on, s, task, erased);
    }
}

template <class Network, class Scalar>
std::unique_ptr<evaluator<Scalar>> make_evaluator(backend<Scalar>& on, const settings& s, integer outputs) {
    return make_evaluator_on<Network>(on, s, outputs);
}

}  // namespace exchange
