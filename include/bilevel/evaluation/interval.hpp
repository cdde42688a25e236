// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>

#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>

namespace bilevel::evaluation {

/// A mean and how far it may be off:  mean ± ci95.
struct interval {
    double mean = 0;
    double ci95 = 0;  // half the width of the 95 % confidence interval; NaN for a single value
    integer count = 0;
};

/// The mean of the values x₁ … xₙ, such as the accuracies of test episodes, and its 95 % confidence interval
///     mean ± 1.96 · s / √n,  s² = Σ (xᵢ − mean)² / (n − 1),
/// as few-shot papers report it. Anything with `data()` and `size()`; throws `argument_error` where there is no value.
template <class Values> interval mean_interval(const Values& values) {
    const std::size_t n = std::size(values);
    if (n == 0) throw argument_error("mean_interval: expected at least one value");
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(std::data(values)[i]);
    const auto count = static_cast<double>(n);
    const double mean = sum / count;
    for (std::size_t i = 0; i < n; ++i) {
        const double off = static_cast<double>(std::data(values)[i]) - mean;
        squares += off * off;
    }
    const double ci95 = n == 1 ? std::numeric_limits<double>::quiet_NaN() : 1.96 * std::sqrt(squares / (count - 1) / count);
    return {mean, ci95, static_cast<integer>(n)};
}

}  // namespace bilevel::evaluation
