// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

namespace bilevel {

/// What one task reports of a hypergradient: its outer loss, and what the gradient is worth. The inner losses of a `proximal` problem are without the pull to x.
struct task_outcome {
    double loss = 0;  // f(x, y_K)
    double accuracy = -1;  // share of correct query examples; −1: not a classification
    double first_inner_loss = 0;  // g at the start of the inner loop
    double last_inner_loss = 0;  // g at the last point where the inner rule looked
    double inner_gradient_norm = 0;  // ‖∇_y g‖ there: an implicit hypergradient assumes that it vanishes
    double linear_residual = 0;  // ‖r‖ / ‖b‖ of the linear solver; 0: none was used
    integer linear_iterations = 0;  // its iterations
    bool positive_curvature = true;  // false: the solver met vᵀAv ≤ 0 and stopped this task there
    integer failed_step = -1;  // the first inner step at which the inner loss was not finite; −1: none
};

}  // namespace bilevel
