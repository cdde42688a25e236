// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The four pixels of a 2 × 2 window, as offsets of their first channels: 0 and 1 above, 2 and 3 below.
struct pooling_window {
    integer corner, right, below;
    integer operator[](int k) const { return corner + (k % 2 != 0 ? right : 0) + (k >= 2 ? below : 0); }
};

/// f(offset of a pooled pixel, offsets of its window in the images, channels) for every pooled pixel of the images first … end − 1 of one task, one after the other.
template <class Pooled, class Image, class F>
void for_each_pooling_window(integer first, integer end, const view<Pooled>& y, const view<Image>& x, F f) {
    const integer channels = x.extents[2], row = x.extents[1] * channels;
    integer to = first * y.size;
    for (integer b = first; b < end; ++b)
        for (integer i = 0; i < y.extents[0]; ++i)
            for (integer j = 0; j < y.extents[1]; ++j, to += channels)
                f(to, pooling_window{b * x.size + 2 * i * row + 2 * j * channels, channels, row}, channels);
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
