// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/convolution.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/initialise.hpp>

namespace bilevel::nn {

/// 3 × 3 convolution without bias (before a batch norm its gradient is zero).    // (h,w,c) -> ((h + 2p − 3)/s + 1, …, filters)
template <class Input, integer Filters, integer Stride = 1, integer Padding = 1> struct convolution {
    static_assert(Input::rank == 3, "bilevel: a convolution reads images: its input is a shape<height, width, channels>");
    using input = Input;
    using weights = shape<3, 3, Input::template extent<2>, Filters>;
    static constexpr backend::convolution_geometry geometry{Stride, Padding};
    static_assert(geometry.output_extent(Input::template extent<0>, 3) > 0 && geometry.output_extent(Input::template extent<1>, 3) > 0,
                  "bilevel: the image is smaller than the kernel of the convolution that reads it");
    using output =
        shape<geometry.output_extent(Input::template extent<0>, 3), geometry.output_extent(Input::template extent<1>, 3), Filters>;
    using parameters = parameter_list<parameter<weights, "weight", "height,width,in,out", initialise::kaiming>>;
    static constexpr const char* name = "convolution";

    static auto forward(auto& e, auto x, auto p) {
        auto [w] = p.split(parameters{});
        return forwarded{e(operation::conv2d<Stride, Padding>{}, x, w), x};
    }
    static auto backward(auto& e, auto x, auto p, auto g, auto dy) {
        auto [w] = p.split(parameters{});
        auto [dw] = g.split(parameters{});
        e.gradient(dw, operation::conv2d_backward_weights<weights, Stride, Padding>{}, x, dy);
        return e.adjoint_of(x, operation::conv2d_backward_data<Input, Stride, Padding>{}, dy, w);
    }
};

}  // namespace bilevel::nn
