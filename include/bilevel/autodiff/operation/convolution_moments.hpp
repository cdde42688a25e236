// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/convolution.hpp>
#include <bilevel/autodiff/operation/normalisation.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/core/tuple.hpp>

namespace bilevel::operation {

/// y = conv2d(x, w), and mean and r = 1/√(variance + ε) of y by channel, over batch and positions: one call where the backend takes them while it writes y.
template <class Scalar, integer Stride, integer Padding> struct conv2d_moments {
    using convolution = conv2d<Stride, Padding>;
    Scalar epsilon;
    template <class X, class W> static constexpr auto result(X x, W w) {
        const auto y = convolution::result(x, w);
        const auto [mean, r] = moments<Scalar>::result(y);
        return tuple{y, mean, r};
    }
    template <class K, class Y, class M, class R, class X, class W> void primal(K& k, Y y, M mean, R r, X x, W w) const {
        if constexpr (backend::convolution_moments_kernels<K>) {
            k.conv2d_moments(values_of(y), values_of(mean), values_of(r), values_of(x), values_of(w), convolution::geometry, epsilon);
        } else {
            convolution{}.primal(k, y, x, w);
            moments<Scalar>{epsilon}.primal(k, mean, r, y);
        }
    }
    template <class K, class Y, class M, class R, class X, class W> void tangent(K& k, Y y, M mean, R r, X x, W w) const {
        convolution{}.tangent(k, y, x, w);
        moments<Scalar>{epsilon}.tangent(k, mean, r, y);
    }
};

}  // namespace bilevel::operation
