// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// What the kernels of batch norm are sums and products of: the numbers of element i, of channel q, of task t. A tangent plane without elements is zero.
template <class Scalar> struct normalisation_terms {
    normalised<Scalar> of, moved;

    static BILEVEL_HOST_DEVICE constexpr bool moves(const view<const Scalar>& tangent) { return tangent.size > 0; }

    /// n = (x − mean) r
    BILEVEL_HOST_DEVICE constexpr Scalar n(integer t, integer i, integer q) const {
        return (of.x.at(t)[i] - of.mean.at(t)[q]) * of.r.at(t)[q];
    }
    /// ṅ = (ẋ − ˙mean) r + (x − mean) ṙ
    BILEVEL_HOST_DEVICE constexpr Scalar dn(integer t, integer i, integer q) const {
        if (!moves(moved.x)) return Scalar(0);
        return (moved.x.at(t)[i] - moved.mean.at(t)[q]) * of.r.at(t)[q] + (of.x.at(t)[i] - of.mean.at(t)[q]) * moved.r.at(t)[q];
    }
    /// z = gain n + shift
    BILEVEL_HOST_DEVICE constexpr Scalar z(integer t, integer i, integer q) const {
        return of.gain.at(t)[q] * n(t, i, q) + of.shift.at(t)[q];
    }
    /// ż = gain ṅ + ˙gain n + ˙shift
    BILEVEL_HOST_DEVICE constexpr Scalar dz(integer t, integer i, integer q) const {
        Scalar sum = of.gain.at(t)[q] * dn(t, i, q);
        if (moves(moved.gain)) sum += moved.gain.at(t)[q] * n(t, i, q);
        if (moves(moved.shift)) sum += moved.shift.at(t)[q];
        return sum;
    }
    /// gain r
    BILEVEL_HOST_DEVICE constexpr Scalar factor(integer t, integer q) const { return of.gain.at(t)[q] * of.r.at(t)[q]; }
    /// ˙gain r + gain ṙ
    BILEVEL_HOST_DEVICE constexpr Scalar dfactor(integer t, integer q) const {
        Scalar sum(0);
        if (moves(moved.gain)) sum += moved.gain.at(t)[q] * of.r.at(t)[q];
        if (moves(moved.r)) sum += of.gain.at(t)[q] * moved.r.at(t)[q];
        return sum;
    }
};

/// What follows a batch norm, as its derivatives need it: the slope of the activation where y comes from, and the position of that in its window.
template <class Scalar> struct normalisation_result {
    view<const Scalar> y;
    view<const std::uint8_t> argmax;
    activation<Scalar> follows;

    BILEVEL_HOST_DEVICE constexpr bool pooled() const { return argmax.size > 0; }
    BILEVEL_HOST_DEVICE constexpr integer position(integer t, integer out) const { return pooled() ? argmax.at(t)[out] : 0; }
    BILEVEL_HOST_DEVICE constexpr Scalar slope(integer t, integer out) const {
        return follows.slope == Scalar(1) || y.at(t)[out] > Scalar(0) ? Scalar(1) : follows.slope;
    }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
