// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

namespace bilevel {

/// The larger of two numbers, or NaN where one of them is NaN, which `std::max` may drop: for "the worst of all".
constexpr double maximum(double a, double b) { return a >= b || a != a ? a : b; }

}  // namespace bilevel
