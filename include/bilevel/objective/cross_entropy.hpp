// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/loss.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::objective {

/// The loss of a classification: mean over the examples of −log softmax(z)[label].
struct cross_entropy {
    static constexpr bool is_classification = true;
    template <class Scalar> using target = int;

    /// The labels of a block of tasks as a handle.    // (tasks, count)
    static auto targets(int* labels, integer tasks, integer count, integer) {
        return array<int, shape<1>>{tasks, count, 0, labels, count, nullptr, 0};
    }
    /// The loss of each task, and what the adjoint of the logits needs.
    static auto forward(auto& e, auto z, auto labels) { return e(operation::softmax_cross_entropy{}, z, labels); }
    static auto backward(auto& e, auto p, auto labels) { return e(operation::softmax_cross_entropy_backward{}, p, labels); }
};

}  // namespace bilevel::objective
