// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Along one axis: pixel i of the result, at place + i · step of its image, reads `taps` pixels from i · stride + start on.
struct convolution_axis {
    integer pixels, stride, start, taps, place, step;

    integer before() const { return std::max(-start, integer{0}); }
    // In the image with padding.
    convolution_axis with_zeros_before() const { return {pixels, stride, start + before(), taps, place, step}; }
    integer extent_with_padding() const { return before() + std::max((pixels - 1) * stride + start + taps, integer{0}); }
    // The taps of pixel i that fall into an image of so many pixels.
    integer first_tap(integer i) const { return std::clamp(-(i * stride + start), integer{0}, taps); }
    integer end_tap(integer i, integer extent) const { return std::clamp(extent - (i * stride + start), first_tap(i), taps); }
    // The first pixel after i of which other taps than of i do: neither end of the taps moves up from one pixel to the next.
    integer end_of_same_taps(integer i, integer extent) const {
        const auto same = [&](integer other) { return first_tap(other) == first_tap(i) && end_tap(other, extent) == end_tap(i, extent); };
        if (same(pixels - 1)) return pixels;
        integer end = i + 1;
        while (same(end)) ++end;
        return end;
    }
    // The pixels whose tap u falls into an image of so many.
    integer first_pixel(integer u) const { return std::min(pixels, std::max((-(start + u) + stride - 1) / stride, integer{0})); }
    integer end_pixel(integer u, integer extent) const {
        const integer room = extent - 1 - (start + u);
        return room < 0 ? first_pixel(u) : std::max(first_pixel(u), std::min(pixels, room / stride + 1));
    }
};

/// The taps of a strided convolution that reach the pixels place, place + stride, … of its input; the last one reads the first pixel of the output.
struct reaching_taps {
    integer count, last, start;
    reaching_taps(convolution_geometry geometry, integer place, integer kernel) {
        const integer first = (place + geometry.padding) % geometry.stride;
        count = first < kernel ? (kernel - 1 - first) / geometry.stride + 1 : 0;
        last = count > 0 ? first + (count - 1) * geometry.stride : -1;
        start = count > 0 ? (place + geometry.padding - last) / geometry.stride : 0;
    }
    convolution_axis over(integer extent, integer place, integer stride) const {
        return {(extent - place + stride - 1) / stride, 1, start, count, place, stride};
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
