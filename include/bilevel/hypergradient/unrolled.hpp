// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/hypergradient/inner_loop.hpp>
#include <bilevel/problem/binding.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace bilevel::hypergradient {

/// What the backward sweep reads of the forward one.
enum class planes {
    kept,       // every step's values, as far as `unrolled::budget` goes: K linearizations in memory, no gradient is computed twice
    recomputed  // those of the last step, and of the others the parameters y_k alone: K vectors in memory; they are linearized once more on the way back
};

/// The exact gradient of K inner steps [Finn17, eq. 1]:  v ← ∇_y f(y_K),  then for k = K−1 … 0:
/// dx ← dx − α ∇ₓ⟨∇_y g(x, y_k), v⟩,  v ← v − α ∇²_yy g(x, y_k) v;  at the end dx ← dx + (∂y₀/∂x)ᵀ v.
/// Costs K gradients (2K − 1 when recomputed), K Hessian-vector products and one outer gradient; keeps K + 4 vectors of dim y a task. The bits do not
/// depend on what is kept.
struct unrolled {
    static constexpr bool needs_second_order = true, needs_inner_level = true, sees_start = true, sees_inner = true,
                          needs_x_in_inner = false;

    hypergradient::planes planes = hypergradient::planes::kept;
    /// Bytes that the kept values of a block of tasks may take: of one task for each thread of `backend::cpu`, of all tasks on `backend::cuda`. Of more steps than
    /// fit, the last ones are kept, at least one, and the first ones recomputed; `report::kept_steps` has how many there were.
    std::size_t budget = std::numeric_limits<std::size_t>::max();

    void check() const {}
    template <class Rule> problem::requirements requirements_of(const Rule& rule, std::size_t bytes_of_slot) const {
        if (planes == hypergradient::planes::recomputed) return {1, true, true};
        const auto steps = std::size_t(rule.steps), fit = bytes_of_slot == 0 ? steps : std::min(budget / bytes_of_slot, steps);
        return {std::max(integer(fit), integer{1}), true, true};
    }

    /// The vectors of one worker.
    template <class Binding> struct scratch {
        using scalar = typename Binding::scalar;
        integer size = 0;
        rows<scalar> path{}, g{}, v{}, h{};  // path: y_0 … y_K, one after another
        scratch() = default;
        template <class Rule> scratch(workspace& from, const Binding& b, const unrolled&, const Rule& rule) : size(b.inner_size()) {
            path = take_rows<scalar>(from, b.tasks() * (rule.steps + 1), size);
            g = take_rows<scalar>(from, b.tasks(), size);
            v = take_rows<scalar>(from, b.tasks(), size);
            h = take_rows<scalar>(from, b.tasks(), size);
        }
        rows<scalar> y(integer k) const { return {path.data + k * g.tasks * path.stride, path.stride, g.tasks, size}; }
    };

    /// dx += dF/dx of each task.
    template <class Binding, class Rule, class Scalar = typename Binding::scalar>
    void operator()(Binding& problem, const Rule& rule, scratch<Binding>& s, rows<Scalar> dx, std::span<task_outcome> outcomes) const {
        // A gradient alone overwrites slot 0: the steps whose values are kept are the last ones.
        const integer first_kept = std::max(rule.steps - problem.slots(), integer{0});
        auto& kernels = problem.kernels();
        problem.start(s.y(0));
        for (integer k = 0; k < rule.steps; ++k) {
            const Scalar* losses = k < first_kept ? problem.gradient(s.y(k), s.g) : problem.linearize(k - first_kept, s.y(k), s.g);
            note_inner_losses(kernels, losses, k, outcomes);
            rule.advance(kernels, s.y(k + 1), rows<const Scalar>(s.y(k)), rows<const Scalar>(s.g));
        }
        problem.outer(s.y(rule.steps), s.v, dx, outcomes);
        for (integer k = rule.steps - 1; k >= 0; --k) {
            const integer slot = std::max(k - first_kept, integer{0});
            if (k < first_kept) problem.linearize(slot, s.y(k), s.g);
            if constexpr (Binding::problem::inner_depends_on_x) {
                problem.along(slot, s.v, s.h, Scalar(rule.mixed_scale()), dx);
            } else {
                problem.along(slot, s.v, s.h);
            }
            rule.transpose(kernels, s.v, rows<const Scalar>(s.h));
        }
        problem.start_transposed(s.v, dx);
        problem.finish(dx);
    }
};

}  // namespace bilevel::hypergradient
