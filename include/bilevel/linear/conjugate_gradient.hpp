// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/outcome.hpp>

#include <cmath>
#include <span>
#include <string>

namespace bilevel::linear {

/// Conjugate gradients [Hestenes52] for  (A_t + δI) w_t = b_t,  all tasks t at once, with products alone: one product an iteration.
/// Each task has its own scalars and stops by itself: when ‖r‖ ≤ tolerance ‖b‖, or where vᵀ(A + δI)v ≤ 0 (not positive definite: the outcome says so).
/// The damping δ makes a system solvable that is not positive definite, or poorly conditioned, and bends w towards b/δ: a hypergradient with it lies
/// between the implicit one (δ = 0) and a multiple of the first-order one (δ → ∞). The residual of the outcome is that of the damped system.
/// A task that has stopped is masked by selection: its row does not change any more.
struct conjugate_gradient {
    static constexpr const char* name = "conjugate gradients";
    integer iterations = 10;
    double tolerance = 1e-10;
    double damping = 0;  // δ

    void check() const {
        if (iterations < 1)
            throw argument_error("conjugate_gradient: iterations is " + std::to_string(iterations) + ", expected at least 1");
        if (!(tolerance >= 0))
            throw argument_error("conjugate_gradient: tolerance is " + std::to_string(tolerance) + ", expected 0 or more");
        if (!(damping >= 0) || !std::isfinite(damping))
            throw argument_error("conjugate_gradient: damping is " + std::to_string(damping) + ", expected a number from 0");
    }

    /// The vectors that a solution needs beside b and w: residual, direction, product; and the scalars of each task.
    template <class Scalar> struct scratch {
        rows<Scalar> r{}, p{}, ap{};
        rows<Scalar> rr{}, start{}, curvature{}, step{}, ratio{}, going{};  // one number a task, side by side in the first row

        scratch() = default;
        scratch(workspace& from, integer tasks, integer size)
            : r(take_rows<Scalar>(from, tasks, size)), p(take_rows<Scalar>(from, tasks, size)), ap(take_rows<Scalar>(from, tasks, size)),
              rr(take_rows<Scalar>(from, 1, tasks)), start(take_rows<Scalar>(from, 1, tasks)), curvature(take_rows<Scalar>(from, 1, tasks)),
              step(take_rows<Scalar>(from, 1, tasks)), ratio(take_rows<Scalar>(from, 1, tasks)), going(take_rows<Scalar>(from, 1, tasks)) {}
    };

    /// w ← (A + δI)⁻¹ b by  apply(v, Av);  w begins at zero.
    template <class Kernels, class Apply, class Scalar = typename Kernels::scalar>
    void solve(Kernels& kernels, Apply apply, rows<const Scalar> b, rows<Scalar> w, scratch<Scalar>& s,
               std::span<task_outcome> outcomes) const {
        const integer tasks = b.tasks;
        Scalar *rr = s.rr.data, *start = s.start.data, *step = s.step.data, *ratio = s.ratio.data, *curvature = s.curvature.data,
               *going = s.going.data;
        kernels.fill(w, Scalar(0));
        kernels.copy(s.r, b);
        kernels.copy(s.p, b);
        kernels.inner_products(rr, s.r, s.r);
        for (integer t = 0; t < tasks; ++t) {
            start[t] = rr[t];
            going[t] = Scalar(1);
            auto& outcome = outcomes[std::size_t(t)];
            outcome.linear_iterations = 0;
            outcome.positive_curvature = true;
        }
        for (integer i = 0; i < iterations; ++i) {
            bool any = false;
            for (integer t = 0; t < tasks; ++t) {
                if (going[t] > Scalar(0) && !(rr[t] > Scalar(tolerance * tolerance) * start[t])) going[t] = Scalar(0);
                any = any || going[t] > Scalar(0);
            }
            if (!any) break;
            apply(rows<const Scalar>(s.p), s.ap);
            if (damping > 0) kernels.add_scaled(s.ap, Scalar(damping), rows<const Scalar>(s.p));
            kernels.inner_products(curvature, s.p, s.ap);
            for (integer t = 0; t < tasks; ++t) {
                step[t] = Scalar(0);
                if (!(going[t] > Scalar(0))) continue;
                ++outcomes[std::size_t(t)].linear_iterations;
                if (curvature[t] > Scalar(0)) {
                    step[t] = rr[t] / curvature[t];
                } else {
                    going[t] = Scalar(0);
                    outcomes[std::size_t(t)].positive_curvature = false;
                }
            }
            kernels.add_scaled(w, static_cast<const Scalar*>(step), s.p);
            for (integer t = 0; t < tasks; ++t) step[t] = -step[t];
            kernels.add_scaled(s.r, static_cast<const Scalar*>(step), s.ap);
            for (integer t = 0; t < tasks; ++t) ratio[t] = rr[t];
            kernels.inner_products(rr, s.r, s.r);
            for (integer t = 0; t < tasks; ++t) ratio[t] = going[t] > Scalar(0) ? rr[t] / ratio[t] : Scalar(0);
            kernels.scale_and_add(s.p, static_cast<const Scalar*>(ratio), s.r);
        }
        for (integer t = 0; t < tasks; ++t) {
            using std::sqrt;
            outcomes[std::size_t(t)].linear_residual = start[t] > Scalar(0) ? double(sqrt(rr[t] / start[t])) : 0;
        }
    }
};

}  // namespace bilevel::linear
