// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/problem/outcome.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>

namespace bilevel::detail {

/// What `require_finite` asks, for kernels: of each task, and of all of them together with ‖dF/dx‖².
struct task_is_finite {
    const task_outcome* outcomes;
    bool* to;
    BILEVEL_HOST_DEVICE void operator()(integer t) const {
        const double loss = outcomes[t].loss, residual = outcomes[t].linear_residual;
        to[t] = outcomes[t].failed_step < 0 && loss - loss == 0 && residual - residual == 0;
    }
};
template <class Scalar> struct all_is_finite {
    const bool* tasks;
    integer count;
    const Scalar* square;
    bool* to;
    BILEVEL_HOST_DEVICE void operator()(integer) const {
        const double norm = static_cast<double>(*square);
        bool all = norm - norm == 0;
        for (integer t = 0; t < count; ++t) all = all && tasks[t];
        *to = all;
    }
};

/// Throws `numeric_error` that names the task and the inner step where an inner loss is not finite.
inline void require_finite_inner(std::span<const task_outcome> outcomes, const char* consolation = "") {
    for (std::size_t t = 0; t < outcomes.size(); ++t)
        if (const auto& o = outcomes[t]; o.failed_step >= 0)
            throw numeric_error("task " + std::to_string(t) + " of the batch: its inner loss is not finite at inner step " +
                                std::to_string(o.failed_step) + " (it began at " + std::to_string(o.first_inner_loss) + ")" +
                                (o.failed_step > 0 ? "; a smaller inner step_size may help" : "") + consolation);
}

/// Throws `numeric_error` that names the task, the inner step and the loss where one is not finite, or a linear residual, or the norm of the hypergradient.
inline void require_finite(std::span<const task_outcome> outcomes, double gradient_norm) {
    require_finite_inner(outcomes, "; the state is as it was");
    for (std::size_t t = 0; t < outcomes.size(); ++t) {
        const auto& o = outcomes[t];
        if (!std::isfinite(o.loss))
            throw numeric_error("task " + std::to_string(t) + " of the batch: its outer loss is " + std::to_string(o.loss) +
                                ", expected a finite number; the state is as it was");
        if (!std::isfinite(o.linear_residual))
            throw numeric_error(
                "task " + std::to_string(t) + " of the batch: the residual of its linear system is " + std::to_string(o.linear_residual) +
                ": the gradient of its outer loss, a product, or the square of one is not finite, though the loss is; the state is as it was");
    }
    if (!std::isfinite(gradient_norm)) throw numeric_error("the hypergradient is not finite, though every loss is; the state is as it was");
}

}  // namespace bilevel::detail
