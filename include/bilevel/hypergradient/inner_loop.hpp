// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/outcome.hpp>

#include <cmath>
#include <span>

namespace bilevel::hypergradient {

/// Watches the inner losses for the outcomes: the first, the last, and the first step at which one was not finite.
template <class Scalar> void note_inner_losses(const Scalar* losses, integer step, std::span<task_outcome> outcomes) {
    for (std::size_t t = 0; t < outcomes.size(); ++t) {
        const double loss = double(losses[integer(t) * padded(1)]);
        if (step == 0) outcomes[t].first_inner_loss = loss;
        outcomes[t].last_inner_loss = loss;
        if (!std::isfinite(loss) && outcomes[t].failed_step < 0) outcomes[t].failed_step = step;
    }
}

/// Runs the inner rule from y₀(x) with gradients alone and leaves y_K in y.  Costs K gradients; two vectors of dim y a task.
template <class Binding, class Rule, class Scalar = typename Binding::scalar>
void descend(Binding& problem, const Rule& rule, rows<Scalar> y, rows<Scalar> g, std::span<task_outcome> outcomes) {
    problem.start(y);
    for (integer k = 0; k < rule.steps; ++k) {
        note_inner_losses(problem.gradient(y, g), k, outcomes);
        rule.advance(problem.kernels(), y, rows<const Scalar>(y), rows<const Scalar>(g));
    }
}

/// The norm of the inner gradient g of each task.
template <class Kernels, class Scalar>
void note_gradient_norm(Kernels& kernels, rows<Scalar> g, rows<Scalar> squares, std::span<task_outcome> outcomes) {
    kernels.inner_products(squares.data, g, g);
    for (std::size_t t = 0; t < outcomes.size(); ++t) {
        using std::sqrt;
        outcomes[t].inner_gradient_norm = double(sqrt(squares.data[t]));
    }
}

}  // namespace bilevel::hypergradient
