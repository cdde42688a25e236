// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/thrust/index.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// Whether a candidate takes the place of the largest so far: the first of equal ones stays, and the first NaN before any number.
template <class Scalar> BILEVEL_HOST_DEVICE constexpr bool is_larger(Scalar candidate, Scalar largest) {
    return largest == largest && !(candidate <= largest);
}

/// The elements of an image x that one element of y is made of: the 2 × 2 of a window, or, not pooled, one. Offsets within a task.    // x (n,h,w,c)
struct window {
    integer size, first, right, below;
    BILEVEL_HOST_DEVICE constexpr integer operator[](integer k) const { return first + (k % 2 != 0 ? right : 0) + (k >= 2 ? below : 0); }

    template <class Y, class X> static BILEVEL_HOST_DEVICE constexpr window of_output(integer e, const Y& y, const X& x, bool pooled) {
        const integer channels = x.extents[2], row = x.extents[1] * channels, step = pooled ? 2 : 1;
        const integer q = rest(e, channels), pixel = quotient(e, channels), line = quotient(pixel, y.extents[1]);
        const integer j = rest(pixel, y.extents[1]), i = rest(line, y.extents[0]);
        return {pooled ? 4 : 1, quotient(e, y.size) * x.size + step * (i * row + j * channels) + q, channels, row};
    }
};

/// The element of y whose window an element of x lies in, −1 where in none, and its position there.
struct source {
    integer output, position;

    template <class Y, class X> static BILEVEL_HOST_DEVICE constexpr source of_input(integer e, const Y& y, const X& x, bool pooled) {
        if (!pooled) return {e, 0};
        const integer channels = x.extents[2], q = rest(e, channels), pixel = quotient(e, channels);
        const integer j = rest(pixel, x.extents[1]), i = rest(quotient(pixel, x.extents[1]), x.extents[0]);
        if (i / 2 >= y.extents[0] || j / 2 >= y.extents[1]) return {-1, 0};
        return {quotient(e, x.size) * y.size + (i / 2 * y.extents[1] + j / 2) * channels + q, i % 2 * 2 + j % 2};
    }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
