// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/linear.hpp>
#include <bilevel/nn/network.hpp>
#include <bilevel/nn/pooling.hpp>
#include <bilevel/nn/rectifier.hpp>
#include <bilevel/nn/residual.hpp>
#include <bilevel/nn/sequential.hpp>

namespace bilevel::nn {

namespace detail {
template <class Image, integer... Widths> struct resnet_blocks;
template <class Image, integer Width> struct resnet_blocks<Image, Width> {
    using wide = shape<Image::template extent<0>, Image::template extent<1>, Width>;
    using rectified = batch_norm<wide, 1, 10>;
    using body =
        sequential<convolution<Image, Width>, rectified, convolution<wide, Width>, rectified, convolution<wide, Width>, batch_norm<wide>>;
    using shortcut = sequential<convolution_1x1<Image, Width>, batch_norm<wide>>;
    // The largest of four rectified numbers is the rectified largest of the four: this order rectifies a quarter of them.
    using type = sequential<residual<body, shortcut>, max_pool<wide>, leaky_relu<typename max_pool<wide>::output>>;
};
template <class Image, integer Width, integer Next, integer... Widths> struct resnet_blocks<Image, Width, Next, Widths...> {
    using first = typename resnet_blocks<Image, Width>::type;
    using type = joined<first, typename resnet_blocks<typename first::output, Next, Widths...>::type>;
};
template <class Image, integer... Widths> struct resnet12_body {
    static_assert(Image::rank == 3 && Image::template extent<0> >= 16 && Image::template extent<1> >= 16,
                  "bilevel: nn::resnet12 reads images of at least 16 x 16, which its four blocks halve: a shape<height, width, channels>");
    using blocks = typename resnet_blocks<Image, Widths...>::type;
    using type = joined<blocks, sequential<global_average_pool<typename blocks::output>>>;
};
}  // namespace detail

/// ResNet-12 [He16], in the widths of [Lee19]. Four blocks, each of three 3 × 3 convolutions with batch norm and leaky ReLU of slope 0.1 between them; the
/// sum with a 1 × 1 convolution and batch norm of the block's input; leaky ReLU; 2 × 2 max pooling. Then the mean over the last positions and a linear
/// head. Without the DropBlock of [Lee19].    // (h,w,c) -> (h/2,w/2,64) -> (h/4,w/4,160) -> (h/8,w/8,320) -> (h/16,w/16,640) -> (640) -> (outputs)
template <class Image, integer First = 64, integer Second = 160, integer Third = 320, integer Fourth = 640>
using resnet12 = network<typename detail::resnet12_body<Image, First, Second, Third, Fourth>::type, linear<shape<Fourth>>>;

}  // namespace bilevel::nn
