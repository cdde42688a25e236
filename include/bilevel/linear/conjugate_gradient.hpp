// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/outcome.hpp>

#include <cmath>
#include <span>
#include <string>

namespace bilevel::linear {

namespace detail {
/// The scalars of each task, where the arrays lie, and what is done with them between the products: one call a task.
template <class Scalar> struct conjugate_gradient_scalars {
    Scalar *rr, *start, *curvature, *step, *back, *ratio, *going;
    Scalar bound;  // of ‖r‖² / ‖b‖²
    task_outcome* outcomes;

    BILEVEL_HOST_DEVICE void look(integer t) const {
        if (!(rr[t] > bound * start[t])) going[t] = Scalar(0);
    }
    struct begin {
        conjugate_gradient_scalars of;
        BILEVEL_HOST_DEVICE void operator()(integer t) const {
            of.start[t] = of.rr[t];
            of.going[t] = Scalar(1);
            of.outcomes[t].linear_iterations = 0;
            of.outcomes[t].positive_curvature = true;
            of.look(t);
        }
    };
    /// The step along the direction; none for a task that has stopped, or stops here.
    struct take_step {
        conjugate_gradient_scalars of;
        BILEVEL_HOST_DEVICE void operator()(integer t) const {
            Scalar length(0);
            if (of.going[t] > Scalar(0)) {
                ++of.outcomes[t].linear_iterations;
                const Scalar along = of.curvature[t], zero_if_finite = Scalar(0) * along;
                if (along > Scalar(0) && zero_if_finite == Scalar(0)) {
                    length = of.rr[t] / along;
                } else {
                    of.going[t] = Scalar(0);
                    of.outcomes[t].positive_curvature = false;
                    if (!(zero_if_finite == Scalar(0))) of.start[t] = zero_if_finite;  // so that the residual is NaN
                }
            }
            of.step[t] = length;
            of.back[t] = -length;
            of.ratio[t] = of.rr[t];
        }
    };
    /// By how much the old direction is a part of the next one.
    struct turn {
        conjugate_gradient_scalars of;
        BILEVEL_HOST_DEVICE void operator()(integer t) const {
            of.ratio[t] = of.going[t] > Scalar(0) ? of.rr[t] / of.ratio[t] : Scalar(0);
            of.look(t);
        }
    };
    struct end {
        conjugate_gradient_scalars of;
        BILEVEL_HOST_DEVICE void operator()(integer t) const {
            using std::sqrt;
            // NaN of a right-hand side or a product that is not finite, and of one whose square is not.
            of.outcomes[t].linear_residual = of.start[t] == Scalar(0) ? 0 : double(sqrt(of.rr[t] / of.start[t]));
        }
    };
};
}  // namespace detail

/// Conjugate gradients [Hestenes52] for  (A_t + δI) w_t = b_t,  all tasks t at once, with products alone: one product an iteration.
/// Each task has its own scalars and stops by itself: when ‖r‖ ≤ tolerance ‖b‖, or where vᵀ(A + δI)v ≤ 0 (not positive definite: the outcome says so), or
/// where that is not finite: its residual is NaN then.
/// The damping δ makes a system solvable that is not positive definite, or poorly conditioned, and bends w towards b/δ: a hypergradient with it lies
/// between the implicit one (δ = 0) and a multiple of the first-order one (δ → ∞). The residual of the outcome is that of the damped system.
/// A task that has stopped is masked by selection: its row does not change any more.
struct conjugate_gradient {
    integer iterations = 10;
    double tolerance = 1e-10;
    double damping = 0;  // δ

    void check() const {
        if (iterations < 1)
            throw argument_error("conjugate_gradient: iterations is " + std::to_string(iterations) + ", expected at least 1");
        if (!(tolerance >= 0 && tolerance < 1))  // from 1 on w = 0 would do
            throw argument_error("conjugate_gradient: tolerance is " + std::to_string(tolerance) + ", expected 0 <= tolerance < 1");
        if (!(damping >= 0) || !std::isfinite(damping))
            throw argument_error("conjugate_gradient: damping is " + std::to_string(damping) + ", expected a number from 0");
    }

    /// The vectors that a solution needs beside b and w: residual, direction, product; and the scalars of each task.
    template <class Scalar> struct scratch {
        rows<Scalar> r{}, p{}, ap{};
        rows<Scalar> rr{}, start{}, curvature{}, step{}, back{}, ratio{}, going{};  // one number a task, side by side in the first row

        scratch() = default;
        scratch(workspace& from, integer tasks, integer size)
            : r(take_rows<Scalar>(from, tasks, size)), p(take_rows<Scalar>(from, tasks, size)), ap(take_rows<Scalar>(from, tasks, size)),
              rr(take_rows<Scalar>(from, 1, tasks)), start(take_rows<Scalar>(from, 1, tasks)), curvature(take_rows<Scalar>(from, 1, tasks)),
              step(take_rows<Scalar>(from, 1, tasks)), back(take_rows<Scalar>(from, 1, tasks)), ratio(take_rows<Scalar>(from, 1, tasks)),
              going(take_rows<Scalar>(from, 1, tasks)) {}
    };

    /// w ← (A + δI)⁻¹ b by  apply(v, Av);  w begins at zero.
    template <class Kernels, class Apply, class Scalar = typename Kernels::scalar>
    void solve(Kernels& kernels, Apply apply, rows<const Scalar> b, rows<Scalar> w, scratch<Scalar>& s,
               std::span<task_outcome> outcomes) const {
        const integer tasks = b.tasks;
        using scalars = detail::conjugate_gradient_scalars<Scalar>;
        const scalars of{s.rr.data,      s.start.data, s.curvature.data, s.step.data,
                         s.back.data,    s.ratio.data, s.going.data,     Scalar(tolerance * tolerance),
                         outcomes.data()};
        kernels.fill(w, Scalar(0));
        kernels.copy(s.r, b);
        kernels.copy(s.p, b);
        kernels.inner_products(of.rr, s.r, s.r);
        kernels.for_each_index(tasks, typename scalars::begin{of});
        for (integer i = 0; i < iterations && !kernels.are_surely_zero(static_cast<const Scalar*>(of.going), tasks); ++i) {
            apply(rows<const Scalar>(s.p), s.ap);
            if (damping > 0) kernels.add_scaled(s.ap, Scalar(damping), rows<const Scalar>(s.p));
            kernels.inner_products(of.curvature, s.p, s.ap);
            kernels.for_each_index(tasks, typename scalars::take_step{of});
            kernels.add_scaled(w, static_cast<const Scalar*>(of.step), s.p);
            kernels.add_scaled(s.r, static_cast<const Scalar*>(of.back), s.ap);
            kernels.inner_products(of.rr, s.r, s.r);
            kernels.for_each_index(tasks, typename scalars::turn{of});
            kernels.scale_and_add(s.p, static_cast<const Scalar*>(of.ratio), s.r);
        }
        kernels.for_each_index(tasks, typename scalars::end{of});
    }
};

}  // namespace bilevel::linear
