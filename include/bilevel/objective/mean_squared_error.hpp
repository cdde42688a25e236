// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/loss.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::objective {

/// The loss of a regression: mean over examples and outputs of (z − target)².
struct mean_squared_error {
    static constexpr bool is_classification = false;
    template <class Scalar> using target = Scalar;

    /// The targets of a block of tasks as a handle.    // (tasks, count, outputs)
    template <class Scalar> static auto targets(Scalar* values, integer tasks, integer count, integer outputs) {
        return array<Scalar, shape<dynamic>>{tasks, count, outputs, values, count * outputs, nullptr, 0};
    }
    static auto forward(auto& e, auto z, auto target) { return e(operation::squared_error{}, z, target); }
    static auto backward(auto& e, auto residual, auto) { return e(operation::squared_error_backward{}, residual); }
};

}  // namespace bilevel::objective
