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

/// The transformed weights of 3 × 3 kernels: sixteen matrices of channels × filters, in whatever order their backend reads them, a cache line apart.
template <class Scalar, integer Channels, integer Filters>
using transformed_weights = shape<16, Channels * Filters + 64 / integer(sizeof(Scalar))>;

}  // namespace bilevel::backend
