// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

#include <cmath>
#include <string>
#include <type_traits>

namespace bilevel::data {

/// How a stored pixel becomes a number:  scale · pixel + offset.
struct pixel_conversion {
    double scale = 1;
    double offset = 0;
};

/// Bytes become [0, 1]; floating-point pixels stay as they are.
template <class Pixel> constexpr pixel_conversion default_conversion() { return {std::is_floating_point_v<Pixel> ? 1.0 : 1.0 / 255, 0.0}; }

namespace detail {

/// Where the first pixel of a square image turned by quarter turns comes from, and how far the source moves by a row and by a column of it, in pixels.
struct turned_image {
    integer first, by_row, by_column;

    BILEVEL_HOST_DEVICE turned_image(integer side, int quarter_turns)
        : first(quarter_turns == 0   ? 0
                : quarter_turns == 1 ? side - 1
                : quarter_turns == 2 ? side * side - 1
                                     : side * (side - 1)),
          by_row(quarter_turns == 0   ? side
                 : quarter_turns == 1 ? -1
                 : quarter_turns == 2 ? -side
                                      : 1),
          by_column(quarter_turns == 0   ? 1
                    : quarter_turns == 1 ? side
                    : quarter_turns == 2 ? -1
                                         : -side) {}
    BILEVEL_HOST_DEVICE integer source(integer row, integer column) const { return first + row * by_row + column * by_column; }
};

/// Converts `count` pixels one after another.
template <class Scalar, class Pixel> void convert(const Pixel* in, integer count, pixel_conversion conversion, Scalar* out) {
    const auto scale = static_cast<Scalar>(conversion.scale), offset = static_cast<Scalar>(conversion.offset);
    for (integer i = 0; i < count; ++i) out[i] = scale * static_cast<Scalar>(in[i]) + offset;
}

/// Throws `argument_error` unless both numbers of a conversion are finite.
inline void require_finite(pixel_conversion conversion) {
    if (!std::isfinite(conversion.scale) || !std::isfinite(conversion.offset))
        throw argument_error("pixel_conversion: scale and offset are " + std::to_string(conversion.scale) + " and " +
                             std::to_string(conversion.offset) + ", expected finite numbers");
}

/// Throws `data_error` at the first NaN or infinity among (n, height, width, channels) pixels, and says where it is.
template <class Pixel> void require_finite(const Pixel* pixels, integer images, integer height, integer width, integer channels) {
    if constexpr (std::is_floating_point_v<Pixel>) {
        for (integer i = 0; i < images * height * width * channels; ++i)
            if (!std::isfinite(pixels[i])) {
                const integer at = i / channels;
                throw data_error("image " + std::to_string(at / width / height) + ", row " + std::to_string(at / width % height) +
                                 ", column " + std::to_string(at % width) + ", channel " + std::to_string(i % channels) +
                                 ": expected a finite pixel, found " + std::to_string(pixels[i]));
            }
    }
}

}  // namespace detail
}  // namespace bilevel::data
