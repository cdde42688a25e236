// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>

namespace bilevel::operation {

/// y = x for x > 0, else slope · x; the derivative at zero is the slope. Slope 0 is ReLU, a positive one leaky ReLU.
template <class Scalar> struct rectify {
    Scalar slope{};
    template <class X> static constexpr auto result(X x) { return like<typename X::shape, X::act>(x, x.batch, x.width); }
    void primal(auto& k, auto y, auto x) const { k.rectify(values_of(y), values_of(x), slope); }
    void tangent(auto& k, auto y, auto x) const { k.rectify_backward(tangents_of(y), tangents_of(x), values_of(y), slope); }
};

/// dx = dy where y > 0, else slope · dy.
template <class Scalar> struct rectify_backward : linear<rectify_backward<Scalar>> {
    Scalar slope{};
    explicit rectify_backward(Scalar s) : slope(s) {}
    template <class D, class Y> static constexpr auto result(D dy, Y) { return like<typename Y::shape, moved<D>>(dy, dy.batch, dy.width); }
    void kernel(auto& k, auto dx, auto dy, auto y) const { k.rectify_backward(dx, dy, y, slope); }
};

}  // namespace bilevel::operation
