// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>

namespace bilevel::backend {

/// A convolution's weights w with the batch norm behind it folded into them, weights = w gain r, and what its derivatives read: mean and r of the
/// convolution's result, v = C w with the covariance C of the images' patches. Of tangents, planes of no elements stand for what does not move.
/// Rounding: the variance wᵀCw is that of centred patches; it loses the digits by which ‖w‖² λ exceeds it, λ the largest eigenvalue of C.
template <class Scalar> struct folded {
    view<const Scalar> w, gain, mean, r, v;  // w, v (kh,kw,c,f)  the others (f)
};

}  // namespace bilevel::backend
