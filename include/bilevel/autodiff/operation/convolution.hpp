// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/primitives.hpp>

namespace bilevel::operation {

/// y[b,i,j,f] = Σ x[b, i·stride + u − padding, j·stride + v − padding, c] w[u,v,c,f]
template <integer Stride, integer Padding> struct conv2d : bilinear<conv2d<Stride, Padding>> {
    static constexpr backend::convolution_geometry geometry{Stride, Padding};
    template <class X, class W> static constexpr auto result(X x, W) {
        using image = typename X::shape;
        using weights = typename W::shape;
        constexpr integer height = weights::template extent<0>, width = weights::template extent<1>, filters = weights::template extent<3>;
        static_assert(require_shape<expected<shape<height, width, image::template extent<2>, filters>>, given<weights>>::value);
        return like<shape<geometry.output_extent(image::template extent<0>, height),
                          geometry.output_extent(image::template extent<1>, width), filters>,
                    joint<X, W>>(x, x.batch, 0);
    }
    static void kernel(auto& k, auto y, auto x, auto w, bool accumulate) { k.conv2d(y, x, w, geometry, accumulate); }
    template <backend::convolution_tangent_kernels K> static void tangent_kernel(K& k, auto y, auto x_moved, auto w, auto x, auto w_moved) {
        k.conv2d_tangent(y, x_moved, w, x, w_moved, geometry);
    }
};

/// The adjoint of `conv2d` by x; Image is the shape of x, which the output alone does not tell when the stride is not 1.
template <class Image, integer Stride, integer Padding>
struct conv2d_backward_data : bilinear<conv2d_backward_data<Image, Stride, Padding>> {
    template <class Y, class W> static constexpr auto result(Y dy, W) { return like<Image, moved<Y, W>>(dy, dy.batch, 0); }
    static void kernel(auto& k, auto dx, auto dy, auto w, bool accumulate) {
        k.conv2d_backward_data(dx, dy, w, backend::convolution_geometry{Stride, Padding}, accumulate);
    }
    template <backend::convolution_tangent_kernels K>
    static void tangent_kernel(K& k, auto dx, auto dy_moved, auto w, auto dy, auto w_moved) {
        k.conv2d_backward_data_tangent(dx, dy_moved, w, dy, w_moved, backend::convolution_geometry{Stride, Padding});
    }
};

/// The adjoint of `conv2d` by w, summed over the batch; Weights is the shape of w.
template <class Weights, integer Stride, integer Padding>
struct conv2d_backward_weights : bilinear<conv2d_backward_weights<Weights, Stride, Padding>> {
    template <class X, class Y> static constexpr auto result(X x, Y) { return like<Weights, moved<X, Y>>(x, 1, 0); }
    static void kernel(auto& k, auto dw, auto x, auto dy, bool accumulate) {
        k.conv2d_backward_weights(dw, x, dy, backend::convolution_geometry{Stride, Padding}, accumulate);
    }
    template <backend::convolution_tangent_kernels K>
    static void tangent_kernel(K& k, auto dw, auto x_moved, auto dy, auto x, auto dy_moved) {
        k.conv2d_backward_weights_tangent(dw, x_moved, dy, x, dy_moved, backend::convolution_geometry{Stride, Padding});
    }
};

}  // namespace bilevel::operation
