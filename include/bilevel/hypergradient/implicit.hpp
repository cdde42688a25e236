// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/hypergradient/inner_loop.hpp>
#include <bilevel/linear/conjugate_gradient.hpp>
#include <bilevel/problem/binding.hpp>

namespace bilevel::hypergradient {

/// The implicit hypergradient [Rajeswaran19]: at a solution of the inner problem  dx = ∇ₓf − ∇ₓ⟨∇_y g, w⟩,  w = (∇²_yy g)⁻¹ ∇_y f,  by a linear solver
/// on products. The path to y_K does not matter, its end does: away from a solution it is an approximation, and the outcomes say what it is worth
/// (norm of the inner gradient, linear residual, sign of the curvature). One linearization serves every product.
/// Costs K + 1 gradients, one product an iteration, one mixed product and one outer gradient; memory does not depend on K: eight vectors of dim y a task.
template <class Linear> struct implicit {
    static constexpr bool needs_second_order = true, needs_inner_level = true, sees_start = false, sees_inner = true,
                          needs_x_in_inner = true;

    Linear linear{};

    void check() const { linear.check(); }
    template <class Rule> static problem::requirements requirements_of(const Rule&, std::size_t) { return {1, true, true}; }

    template <class Binding> struct scratch {
        using scalar = typename Binding::scalar;
        rows<scalar> y{}, g{}, v{}, w{}, h{}, squares{};
        typename Linear::template scratch<scalar> solver{};
        scratch() = default;
        template <class Rule>
        scratch(workspace& from, const Binding& b, const implicit&, const Rule&)
            : y(take_rows<scalar>(from, b.tasks(), b.inner_size())), g(take_rows<scalar>(from, b.tasks(), b.inner_size())),
              v(take_rows<scalar>(from, b.tasks(), b.inner_size())), w(take_rows<scalar>(from, b.tasks(), b.inner_size())),
              h(take_rows<scalar>(from, b.tasks(), b.inner_size())), squares(take_rows<scalar>(from, 1, b.tasks())),
              solver(from, b.tasks(), b.inner_size()) {}
    };

    template <class Binding, class Rule, class Scalar = typename Binding::scalar>
    void operator()(Binding& problem, const Rule& rule, scratch<Binding>& s, rows<Scalar> dx, std::span<task_outcome> outcomes) const {
        auto& kernels = problem.kernels();
        descend(problem, rule, s.y, s.g, outcomes);
        note_inner_losses(kernels, problem.linearize(0, s.y, s.g), rule.steps, outcomes);
        note_gradient_norm(kernels, s.g, s.squares, outcomes);
        problem.outer(s.y, s.v, dx, outcomes);
        linear.solve(
            kernels, [&](rows<const Scalar> v, rows<Scalar> product) { problem.along(0, v, product); }, rows<const Scalar>(s.v), s.w,
            s.solver, outcomes);
        problem.mixed(0, s.w, s.h, Scalar(-1), dx);
        problem.finish(dx);
    }
};

/// With conjugate gradients: iMAML.
using implicit_cg = implicit<linear::conjugate_gradient>;

}  // namespace bilevel::hypergradient
