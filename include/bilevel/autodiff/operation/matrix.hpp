// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>

namespace bilevel::operation {

/// y = x w, for each example of the batch; x is flattened.    // x (n, k)  w (k, m)  y (n, m)
struct matmul : bilinear<matmul> {
    template <class X, class W> static constexpr auto result(X x, W w) {
        constexpr integer outputs = W::shape::template extent<1>;
        static_assert(require_shape<expected<shape<X::shape::count(), outputs>>, given<typename W::shape>>::value);
        return like<shape<outputs>, joint<X, W>>(x, x.batch, w.width);
    }
    static void kernel(auto& k, auto y, auto x, auto w, bool accumulate) { k.matmul(y, x, w, accumulate); }
};

/// dx = dy wᵀ, in the shape of x.
template <class In> struct matmul_backward_data : bilinear<matmul_backward_data<In>> {
    template <class Y, class W> static constexpr auto result(Y dy, W) { return like<In, moved<Y, W>>(dy, dy.batch, 0); }
    static void kernel(auto& k, auto dx, auto dy, auto w, bool accumulate) { k.matmul_backward_data(dx, dy, w, accumulate); }
};

/// dw = xᵀ dy, summed over the batch.
struct matmul_backward_weights : bilinear<matmul_backward_weights> {
    template <class X, class Y> static constexpr auto result(X x, Y dy) {
        return like<shape<X::shape::count(), Y::shape::template extent<0>>, moved<X, Y>>(x, 1, dy.width);
    }
    static void kernel(auto& k, auto dw, auto x, auto dy, bool accumulate) { k.matmul_backward_weights(dw, x, dy, accumulate); }
};

/// y = x w + b, the same b for every example.    // b (m)
struct affine {
    template <class X, class W, class B> static constexpr auto result(X x, W w, B) {
        // Not by the type of matmul::result(x, w), which nvcc 12 gives another name in the file that it hands to the host's compiler.
        constexpr integer outputs = W::shape::template extent<1>;
        static_assert(require_shape<expected<shape<X::shape::count(), outputs>>, given<typename W::shape>>::value);
        static_assert(require_shape<expected<shape<outputs>>, given<typename B::shape>>::value);
        return like<shape<outputs>, joint<X, W, B>>(x, x.batch, w.width);
    }
    static void primal(auto& k, auto y, auto x, auto w, auto b) {
        k.matmul(values_of(y), values_of(x), values_of(w), false);
        k.add_bias(values_of(y), values_of(b), true);
    }
    template <class X, class W, class B> static void tangent(auto& k, auto y, X x, W w, B b) {
        if constexpr (X::varies) k.matmul(tangents_of(y), tangents_of(x), values_of(w), false);
        if constexpr (W::varies) k.matmul(tangents_of(y), values_of(x), tangents_of(w), X::varies);
        if constexpr (B::varies) k.add_bias(tangents_of(y), tangents_of(b), X::varies || W::varies);
    }
};

/// db = dy, summed over the batch.
struct sum_over_batch : linear<sum_over_batch> {
    template <class Y> static constexpr auto result(Y dy) { return like<typename Y::shape, moved<Y>>(dy, 1, dy.width); }
    static void kernel(auto& k, auto db, auto dy) { k.sum_over_batch(db, dy, false); }
};

}  // namespace bilevel::operation
