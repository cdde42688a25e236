// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/convolution.hpp>
#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/core/tuple.hpp>

namespace bilevel::operation {

/// y = conv2d(x, w), and mean and r = 1/√(variance + ε) of y by channel, over batch and positions: one call where the backend takes them while it writes y.
template <class Scalar, integer Stride, integer Padding> struct conv2d_moments {
    using convolution = conv2d<Stride, Padding>;
    Scalar epsilon;
    template <class X, class W> static constexpr auto result(X x, W w) {
        const auto y = convolution::result(x, w);
        using image = decltype(convolution::result(x, w));
        using channel = shape<image::shape::template extent<2>>;
        using statistic = array<typename X::scalar, channel, moved<image>>;
        return tuple<image, statistic, statistic>{y, like<channel, moved<image>>(x, 1, 0), like<channel, moved<image>>(x, 1, 0)};
    }
    template <class K, class Y, class M, class R, class X, class W> void primal(K& k, Y y, M mean, R r, X x, W w) const {
        if constexpr (backend::convolution_moments_kernels<K>) {
            k.conv2d_moments(values_of(y), values_of(mean), values_of(r), values_of(x), values_of(w), convolution::geometry, epsilon);
        } else {
            convolution{}.primal(k, y, x, w);
            k.moments(values_of(mean), values_of(r), values_of(y), epsilon);
        }
    }
    template <class K, class Y, class M, class R, class X, class W> void tangent(K& k, Y y, M mean, R r, X x, W w) const {
        convolution{}.tangent(k, y, x, w);
        k.moments_tangent(tangents_of(mean), tangents_of(r), tangents_of(y),
                          backend::normalised<Scalar>{values_of(y), values_of(mean), values_of(r), {}, {}});
    }
};

}  // namespace bilevel::operation
