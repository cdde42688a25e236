// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <cstddef>
#include <type_traits>

namespace bilevel {

/// The extent that is only known at run time: the width of a network's head (its ways, or the width of a regression target).
inline constexpr integer dynamic = -1;

/// Slices of a parameter vector and strides of a task begin at a multiple of this many elements (64 bytes of float, 128 of double), so that
/// the layout is the same for every scalar, and sums do not change their bits with the alignment. Padding is zero in every direction.
inline constexpr integer alignment_in_elements = 16;

/// The next multiple of `alignment_in_elements`.
constexpr integer padded(integer count) { return (count + alignment_in_elements - 1) / alignment_in_elements * alignment_in_elements; }

/// The extents of one example or one parameter array, at compile time; at most four. Images are (height, width, channels).
template <integer... Extents> struct shape {
    static constexpr std::size_t rank = sizeof...(Extents);
    static_assert(rank >= 1 && rank <= 4, "bilevel: a shape has one to four extents");
    static_assert(((Extents > 0 || Extents == dynamic) && ...), "bilevel: an extent of a shape is positive, or bilevel::dynamic");
    static constexpr integer extents[sizeof...(Extents)] = {Extents...};

    /// The number of elements, with `width` in the place of the dynamic extent.
    static constexpr integer count([[maybe_unused]] integer width = 0) {
        return ((Extents == dynamic ? width : Extents) * ... * integer{1});
    }

    template <std::size_t I> static constexpr integer extent = extents[I];
};

// Two words that make the compiler print both shapes beside the message when they do not fit.
template <class Shape> struct expected {};
template <class Shape> struct given {};

/// Refuses two shapes that differ, naming both: `require_shape<expected<shape<28,28,16>>, given<shape<28,28,8>>>`.
template <class Expected, class Given> struct require_shape;
template <class Expected, class Given> struct require_shape<expected<Expected>, given<Given>> {
    static_assert(std::is_same_v<Expected, Given>,
                  "bilevel: shapes do not fit: see 'expected' and 'given' in the type of require_shape, just above or below");
    static constexpr bool value = true;
};

}  // namespace bilevel
