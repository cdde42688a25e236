// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

#include <cmath>

namespace bilevel::backend {

/// What batch norm makes its result of, by channel:  n = (x − mean) r,  z = gain n + shift.    // x (n,h,w,c)  the others (c)
/// Of tangents, a plane of no elements stands for one that does not move.
template <class Scalar> struct normalised {
    view<const Scalar> x, mean, r, gain, shift;
};

/// What follows: with an `argmax` the largest z of each 2 × 2 window first, as `max_pool` has it; then y = z where z > 0, else slope · z. Slope 1: nothing
/// follows, and y is not read again.
template <class Scalar> struct activation {
    Scalar slope{};
    bool is_linear() const { return slope == Scalar(1); }
};

inline namespace BILEVEL_INSTRUCTION_SET {

/// r = 1/√(variance + ε), or NaN where the variance is not finite: by the formula r = 0, and z = shift, as if the channel were constant.
template <class Scalar> BILEVEL_HOST_DEVICE Scalar inverse_deviation_of(Scalar variance, Scalar epsilon) {
    using std::sqrt;
    return Scalar(1) / sqrt(variance + epsilon) + Scalar(0) * variance;
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
