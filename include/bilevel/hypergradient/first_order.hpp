// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/hypergradient/inner_loop.hpp>
#include <bilevel/problem/binding.hpp>

namespace bilevel::hypergradient {

/// First-order MAML [Finn17, §5.2]: the inner solution is taken to move with its start, ∂y_K/∂y₀ = I:  dx ← ∇ₓf + (∂y₀/∂x)ᵀ ∇_y f(y_K).
/// It drops every Hessian and the route by which x reaches F through g.  Costs K + 1 gradients; keeps three vectors of dim y a task.
struct first_order {
    static constexpr bool needs_second_order = false, needs_inner_level = true, sees_start = true, sees_inner = false,
                          needs_x_in_inner = false;

    void check() const {}
    template <class Rule> static problem::requirements requirements_of(const Rule&, std::size_t) { return {1, false, true}; }

    template <class Binding> struct scratch {
        using scalar = typename Binding::scalar;
        rows<scalar> y{}, g{}, v{};
        scratch() = default;
        template <class Rule>
        scratch(workspace& from, const Binding& b, const first_order&, const Rule&)
            : y(take_rows<scalar>(from, b.tasks(), b.inner_size())), g(take_rows<scalar>(from, b.tasks(), b.inner_size())),
              v(take_rows<scalar>(from, b.tasks(), b.inner_size())) {}
    };

    template <class Binding, class Rule, class Scalar = typename Binding::scalar>
    void operator()(Binding& problem, const Rule& rule, scratch<Binding>& s, rows<Scalar> dx, std::span<task_outcome> outcomes) const {
        descend(problem, rule, s.y, s.g, outcomes);
        problem.outer(s.y, s.v, dx, outcomes);
        problem.start_transposed(s.v, dx);
    }
};

}  // namespace bilevel::hypergradient
