// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/outcome.hpp>

#include <cmath>
#include <span>

namespace bilevel::hypergradient {

namespace detail {
template <class Scalar> struct inner_loss_of_task {
    const Scalar* losses;
    integer step;
    task_outcome* outcomes;
    BILEVEL_HOST_DEVICE void operator()(integer t) const {
        const double loss = double(losses[t * padded(1)]);
        task_outcome& outcome = outcomes[t];
        if (step == 0) outcome.first_inner_loss = loss;
        outcome.last_inner_loss = loss;
        if (!(loss - loss == 0) && outcome.failed_step < 0) outcome.failed_step = step;  // not finite
    }
};
template <class Scalar> struct gradient_norm_of_task {
    const Scalar* squares;
    task_outcome* outcomes;
    BILEVEL_HOST_DEVICE void operator()(integer t) const {
        using std::sqrt;
        outcomes[t].inner_gradient_norm = double(sqrt(squares[t]));
    }
};
}  // namespace detail

/// Watches the inner losses for the outcomes: the first, the last, and the first step at which one was not finite.
template <class Kernels, class Scalar>
void note_inner_losses(Kernels& kernels, const Scalar* losses, integer step, std::span<task_outcome> outcomes) {
    kernels.for_each_index(integer(outcomes.size()), detail::inner_loss_of_task<Scalar>{losses, step, outcomes.data()});
}

/// Runs the inner rule from y₀(x) with gradients alone and leaves y_K in y.  Costs K gradients; two vectors of dim y a task.
template <class Binding, class Rule, class Scalar = typename Binding::scalar>
void descend(Binding& problem, const Rule& rule, rows<Scalar> y, rows<Scalar> g, std::span<task_outcome> outcomes) {
    problem.start(y);
    for (integer k = 0; k < rule.steps; ++k) {
        note_inner_losses(problem.kernels(), problem.gradient(y, g), k, outcomes);
        rule.advance(problem.kernels(), y, rows<const Scalar>(y), rows<const Scalar>(g));
    }
}

/// The norm of the inner gradient g of each task.
template <class Kernels, class Scalar>
void note_gradient_norm(Kernels& kernels, rows<Scalar> g, rows<Scalar> squares, std::span<task_outcome> outcomes) {
    kernels.inner_products(squares.data, g, g);
    kernels.for_each_index(integer(outcomes.size()), detail::gradient_norm_of_task<Scalar>{squares.data, outcomes.data()});
}

}  // namespace bilevel::hypergradient
