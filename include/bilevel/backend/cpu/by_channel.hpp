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

namespace detail {
inline constexpr integer tile = 32;  // channels that are summed at once, in registers
inline constexpr integer block = 128;  // positions that are summed one after the other; the sums of the blocks are then added

template <class Width, class Term, class Result>
void sum_tile(integer positions, integer channels, integer first, Width width, Term term, Result result) {
    using scalar = decltype(term(integer{0}, integer{0}));
    scalar total[tile] = {};
    for (integer begin = 0; begin < positions; begin += block) {
        scalar partial[tile] = {};
        for (integer i = begin; i < std::min(begin + block, positions); ++i)
            for (integer q = 0; q < width; ++q) partial[q] += term(i * channels + first + q, first + q);
        for (integer q = 0; q < width; ++q) total[q] += partial[q];
    }
    for (integer q = 0; q < width; ++q) result(first + q, total[q]);
}
}  // namespace detail

/// result(channel, Σ term(element, channel)) for every channel, summed over the positions in fixed blocks.
template <class Term, class Result> void sum(integer positions, integer channels, Term term, Result result) {
    using full = std::integral_constant<integer, detail::tile>;
    integer first = 0;
    for (; first + detail::tile <= channels; first += detail::tile) detail::sum_tile(positions, channels, first, full{}, term, result);
    if (first < channels) detail::sum_tile(positions, channels, first, channels - first, term, result);
}

}  // namespace by_channel
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
