// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>

#include <type_traits>

namespace bilevel::backend {

/// The weights of a convolution, and beside them, where it is at hand, what `transform_weights` made of them for this direction, at this point; see
/// primitives.hpp. Kernels that transform nothing take the weights alone.
template <class Scalar> struct convolution_weights {
    view<const Scalar> values, transformed{};  // without data: not at hand

    // Units for several processors share no function of these: they are a part of their caller.
    [[gnu::always_inline]] constexpr convolution_weights(view<const Scalar> w, view<const Scalar> of_w = {})
        : values(w), transformed(of_w) {}
    [[gnu::always_inline]] constexpr convolution_weights(view<std::remove_const_t<Scalar>> w) : values(w) {}
    [[gnu::always_inline]] constexpr operator view<const Scalar>() const { return values; }
};

/// Elements between two matrices of transformed weights, or two planes of transformed tiles: a cache line, so that they do not fall into the same sets of a cache.
template <class Scalar> inline constexpr integer gap_between_matrices = 64 / integer(sizeof(Scalar));

/// The transformed weights of 3 × 3 kernels: sixteen matrices of channels × filters, in whatever order their backend reads them, each with its gap.
template <class Scalar, integer Channels, integer Filters>
using transformed_weights = shape<16, Channels * Filters + gap_between_matrices<Scalar>>;

}  // namespace bilevel::backend
