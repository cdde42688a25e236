// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/linear.hpp>
#include <bilevel/nn/network.hpp>
#include <bilevel/nn/pooling.hpp>
#include <bilevel/nn/sequential.hpp>

namespace bilevel::nn {

namespace detail {
template <class Image, integer Filters> struct pooled_block {
    using convolved = shape<Image::template extent<0>, Image::template extent<1>, Filters>;
    using type = sequential<convolution<Image, Filters>, batch_norm_relu_max_pool<convolved>>;
};
template <class Image, integer Filters> struct strided_block {
    using convolved = typename convolution<Image, Filters, 2>::output;
    using type = sequential<convolution<Image, Filters, 2>, batch_norm_relu<convolved>>;
};
template <template <class, integer> class Block, class Image, integer Filters> struct four {
    using first = typename Block<Image, Filters>::type;
    using second = typename Block<typename first::output, Filters>::type;
    using third = typename Block<typename second::output, Filters>::type;
    using fourth = typename Block<typename third::output, Filters>::type;
    using type = joined<first, second, third, fourth>;
};
template <class Image, integer Filters> struct strided_body {
    using blocks = typename four<strided_block, Image, Filters>::type;
    using type = joined<blocks, sequential<global_average_pool<typename blocks::output>>>;
};
}  // namespace detail

/// Conv-4 [Vinyals16]: four times 3 × 3 convolution, batch norm, ReLU, 2 × 2 max pooling; then a linear head on the flattened features.
template <class Image, integer Filters>
using conv4 = network<typename detail::four<detail::pooled_block, Image, Filters>::type,
                      linear<typename detail::four<detail::pooled_block, Image, Filters>::type::output>>;

/// Conv-4 with stride 2 in the place of pooling and the mean over the last positions, as [Finn17] has it for Omniglot.
template <class Image, integer Filters>
using conv4_strided =
    network<typename detail::strided_body<Image, Filters>::type, linear<typename detail::strided_body<Image, Filters>::type::output>>;

}  // namespace bilevel::nn
