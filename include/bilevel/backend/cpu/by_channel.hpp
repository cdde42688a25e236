// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/vectorise.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <type_traits>

/// Loops over (positions, channels), channels contiguous: vectorised over the channels, so that no sum changes its order with the vector width.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace by_channel {

/// f(element, channel) for every element; each element on its own.
template <class F> void for_each(integer positions, integer channels, F f) {
    for (integer i = 0; i < positions; ++i) {
        BILEVEL_INDEPENDENT_ITERATIONS
        for (integer q = 0; q < channels; ++q) f(i * channels + q, q);
    }
}

inline constexpr integer largest_tile = 32;  // channels that are summed at once, in registers
inline constexpr integer block = 128;  // positions that are summed one after the other; the sums of the blocks are then added

/// f(first channel, width) for tiles of channels; the width is a constant for all but the last.
template <class F> void for_each_tile(integer channels, F f) {
    integer first = 0;
    for (; first + largest_tile <= channels; first += largest_tile) f(first, std::integral_constant<integer, largest_tile>{});
    if (first < channels) f(first, channels - first);
}

/// result(channel, Σ term(element, channel)) for every channel, summed over the positions in fixed blocks.
template <class Term, class Result> void sum(integer positions, integer channels, Term term, Result result) {
    using scalar = decltype(term(integer{0}, integer{0}));
    for_each_tile(channels, [=](integer tile, auto width) {
        scalar total[largest_tile] = {};
        for (integer begin = 0; begin < positions; begin += block) {
            scalar partial[largest_tile] = {};
            for (integer i = begin; i < std::min(begin + block, positions); ++i)
                for (integer q = 0; q < width; ++q) partial[q] += term(i * channels + tile + q, tile + q);
            for (integer q = 0; q < width; ++q) total[q] += partial[q];
        }
        for (integer q = 0; q < width; ++q) result(tile + q, total[q]);
    });
}

}  // namespace by_channel
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
