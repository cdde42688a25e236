// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

namespace bilevel::detail {

/// Throws `numeric_error` where an output of a network is not finite: what has left the range has no largest logit.    // z (tasks, count, outputs)
template <class Scalar> void require_finite_outputs(const std::vector<Scalar>& z, integer count, integer outputs) {
    for (std::size_t i = 0; i < z.size(); ++i) {
        const integer example = integer(i) / outputs;
        if (!std::isfinite(z[i]))
            throw numeric_error("task " + std::to_string(example / count) + " of the batch: output " +
                                std::to_string(integer(i) % outputs) + " of its adapted network on example " +
                                std::to_string(example % count) + " is " + std::to_string(z[i]) +
                                ", expected a finite number; a smaller inner step_size, or fewer inner steps, may help");
    }
}

/// The label of one example: its first largest logit.
template <class Scalar> int label_of(const Scalar* logits, integer outputs) {
    return static_cast<int>(std::max_element(logits, logits + outputs) - logits);
}

/// How good a network's outputs are on the examples of a task: the share of correct labels, or of a regression the mean squared error.
template <class Scalar, class Target> double quality(const Scalar* z, const Target* targets, integer count, integer outputs) {
    double sum = 0;
    if constexpr (std::is_same_v<Target, int>) {
        for (integer i = 0; i < count; ++i) sum += label_of(z + i * outputs, outputs) == targets[i] ? 1.0 / double(count) : 0.0;
    } else {
        for (integer i = 0; i < count * outputs; ++i) {
            const double residual = double(z[i]) - double(targets[i]);
            sum += residual * residual / double(count * outputs);
        }
    }
    return sum;
}

}  // namespace bilevel::detail
