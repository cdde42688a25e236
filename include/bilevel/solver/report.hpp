// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/maximum.hpp>
#include <bilevel/problem/outcome.hpp>

#include <algorithm>
#include <span>

namespace bilevel {

/// What a step, or a hypergradient, says of itself: means over the tasks, and for what a hypergradient is worth the worst task.
struct report {
    double loss = 0;                 // mean of f
    double accuracy = -1;            // mean over the tasks' query sets; −1: not a classification
    double gradient_norm = 0;        // ‖dF/dx‖, before clipping
    double inner_gradient_norm = 0;  // the largest; an implicit hypergradient assumes that it vanishes
    double linear_residual = 0;      // the largest
    integer linear_iterations = 0;   // the most
    integer kept_steps =
        0;  // linearizations kept at once, where there are any: of `unrolled` the inner steps that nothing was computed twice for
    bool positive_curvature = true;  // false: some task met vᵀAv ≤ 0 and was stopped there
    std::span<const task_outcome> tasks{};  // one by one, until the next call

    static report of(std::span<const task_outcome> tasks) {
        report r;
        r.tasks = tasks;
        double accuracy = 0;
        for (const auto& t : tasks) {
            r.loss += t.loss / double(tasks.size());
            accuracy += t.accuracy;
            r.inner_gradient_norm = maximum(r.inner_gradient_norm, t.inner_gradient_norm);
            r.linear_residual = maximum(r.linear_residual, t.linear_residual);
            r.linear_iterations = std::max(r.linear_iterations, t.linear_iterations);
            r.positive_curvature = r.positive_curvature && t.positive_curvature;
        }
        if (!tasks.empty()) r.accuracy = accuracy / double(tasks.size());
        return r;
    }
};

/// A hypergradient and what it is worth.
template <class Scalar> struct hypergradient_result {
    aligned_vector<Scalar> vector;  // dF/dx, mean over the tasks, in the layout of the problem
    bilevel::report report;
};

/// The same in the solver's own memory, until its next call.
template <class Scalar> struct hypergradient_view {
    std::span<const Scalar> vector;
    bilevel::report report;
};

}  // namespace bilevel
