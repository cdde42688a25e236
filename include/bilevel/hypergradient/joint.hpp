// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>

namespace bilevel::hypergradient {

/// Multi-task learning: nothing is solved inside,  dx ← ∇ₓf(x, y₀) + (∂y₀/∂x)ᵀ ∇_y f(x, y₀).  Costs one gradient.
struct joint {
    static constexpr bool needs_second_order = false, needs_inner_level = false, sees_start = true, sees_inner = false,
                          needs_x_in_inner = false;

    void check() const {}
    template <class Rule> static problem::requirements requirements_of(const Rule&, std::size_t) { return {1, false, true}; }

    template <class Binding> struct scratch {
        using scalar = typename Binding::scalar;
        rows<scalar> y{}, v{};
        scratch() = default;
        template <class Rule>
        scratch(workspace& from, const Binding& b, const joint&, const Rule&)
            : y(take_rows<scalar>(from, b.tasks(), b.inner_size())), v(take_rows<scalar>(from, b.tasks(), b.inner_size())) {}
    };

    template <class Binding, class Rule, class Scalar = typename Binding::scalar>
    void operator()(Binding& problem, const Rule&, scratch<Binding>& s, rows<Scalar> dx, std::span<task_outcome> outcomes) const {
        problem.start(s.y);
        problem.outer(s.y, s.v, dx, outcomes);
        problem.start_transposed(s.v, dx);
    }
};

}  // namespace bilevel::hypergradient
