// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/convolution.hpp>
#include <bilevel/autodiff/operation/transformed_weights.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/initialise.hpp>

namespace bilevel::nn {

/// Convolution with k × k kernels, 3 × 3 where nothing else is said, without bias (before a batch norm its gradient is zero).
/// y = Σ x[i s + u − p, j s + v − p, c] w[u,v,c,f], with stride s and padding p.    // (h,w,c) -> ((h + 2p − k)/s + 1, …, filters)
template <class Input, integer Filters, integer Stride = 1, integer Padding = 1, integer Kernel = 3> struct convolution {
    static_assert(Input::rank == 3, "bilevel: a convolution reads images: its input is a shape<height, width, channels>");
    static_assert(
        Kernel > 0 && Stride > 0 && 0 <= Padding && Padding < Kernel,
        "bilevel: a convolution has a positive stride and kernel, and a padding smaller than the kernel: 1 x 1 goes with padding 0");
    static_assert(Input::template extent<0> + 2 * Padding >= Kernel && Input::template extent<1> + 2 * Padding >= Kernel,
                  "bilevel: the image is smaller than the kernel of the convolution that reads it");
    using input = Input;
    using weights = shape<Kernel, Kernel, Input::template extent<2>, Filters>;
    static constexpr backend::convolution_geometry geometry{Stride, Padding};
    using output = shape<geometry.output_extent(Input::template extent<0>, Kernel),
                         geometry.output_extent(Input::template extent<1>, Kernel), Filters>;
    using parameters = parameter_list<parameter<weights, "weight", "height,width,in,out", initialise::kaiming>>;
    static constexpr const char* name = "convolution";
    static constexpr bool output_is_free = true;
    /// Whether what a backend computes of the weights alone (primitives.hpp: transform_weights) is kept from a gradient to the products with the Hessian at its
    /// point: from 6.6 MB on (in float), which a product would write and read again.
    static constexpr bool transforms_weights_ahead =
        Kernel == 3 && Stride == 1 && Padding == 1 && Input::template extent<2> * Filters >= 320 * 320;

    static auto forward(auto& e, auto x, auto p) {
        auto [w] = p.split(parameters{});
        return forwarded{e(operation::conv2d<Stride, Padding>{}, x, with_transform<false>(e, w, x)), x};
    }
    static auto backward(auto& e, auto x, auto p, auto g, auto dy) {
        auto [w] = p.split(parameters{});
        auto [dw] = g.split(parameters{});
        e.gradient(dw, operation::conv2d_backward_weights<weights, Stride, Padding>{}, x, dy);
        if constexpr (decltype(x)::wanted) {
            return e.adjoint_of(x, operation::conv2d_backward_data<Input, Stride, Padding>{}, dy, with_transform<true>(e, w, dy));
        } else {
            return nothing{};
        }
    }

    /// The weights, and beside them, where they move and it pays, what the convolution of these images, or its adjoint, computes of them alone.
    template <bool Adjoint, class W> static auto with_transform(auto& e, W w, auto images) {
        if constexpr (transforms_weights_ahead && W::varies) {
            auto transformed = e.kept(operation::transform_weights<Adjoint, Stride, Padding>{}, w, images);
            return operation::weights_and_transform<W, decltype(transformed)>{w, transformed};
        } else {
            return w;
        }
    }
};

/// A linear map of the channels of each pixel, the same for all: 1 × 1 kernels.    // (h,w,c) -> ((h − 1)/s + 1, …, filters)
template <class Input, integer Filters, integer Stride = 1> using convolution_1x1 = convolution<Input, Filters, Stride, 0, 1>;

}  // namespace bilevel::nn
