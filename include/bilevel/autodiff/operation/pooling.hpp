// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/core/tuple.hpp>

#include <cstdint>

namespace bilevel::operation {

/// The larger of each 2 × 2 window, and its position in the window; the first of equal maxima wins. An odd last row or column is dropped.
struct max_pool {
    template <class X> static constexpr auto result(X x) {
        using image = typename X::shape;
        using pooled = shape<image::template extent<0> / 2, image::template extent<1> / 2, image::template extent<2>>;
        return tuple<array<typename X::scalar, pooled, X::act>, array<std::uint8_t, pooled>>{like<pooled, X::act>(x, x.batch, 0),
                                                                                             {x.tasks, x.batch, 0}};
    }
    static void primal(auto& k, auto y, auto argmax, auto x) { k.max_pool(values_of(y), values_of(argmax), values_of(x)); }
    static void tangent(auto& k, auto y, auto argmax, auto x) { k.max_pool_gather(tangents_of(y), tangents_of(x), values_of(argmax)); }
};

/// Each adjoint goes where its maximum came from.
template <class Image> struct max_pool_backward : linear<max_pool_backward<Image>> {
    template <class Y, class A> static constexpr auto result(Y dy, A) { return like<Image, moved<Y>>(dy, dy.batch, 0); }
    static void kernel(auto& k, auto dx, auto dy, auto argmax) { k.max_pool_scatter(dx, dy, argmax); }
};

/// The mean over all positions of an image.    // (n,h,w,c) -> (n,c)
struct average_pool : linear<average_pool> {
    template <class X> static constexpr auto result(X x) { return like<shape<X::shape::template extent<2>>, X::act>(x, x.batch, 0); }
    static void kernel(auto& k, auto y, auto x) { k.average_pool(y, x); }
};

/// Each adjoint, divided by the number of positions, goes to all of them.
template <class Image> struct average_pool_backward : linear<average_pool_backward<Image>> {
    template <class Y> static constexpr auto result(Y dy) { return like<Image, moved<Y>>(dy, dy.batch, 0); }
    static void kernel(auto& k, auto dx, auto dy) { k.average_pool_backward(dx, dy); }
};

}  // namespace bilevel::operation
