// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// The names of all kernels of backend/primitives.hpp, for what wraps each of them: X(conv2d) X(conv2d_backward_data) … Those of views and rows have one
// signature, whose arguments say how large they are.
// clang-format off
#define BILEVEL_EVERY_PRIMITIVE_OF_VIEWS(X) \
    X(conv2d) X(conv2d_backward_data) X(conv2d_backward_weights) X(matmul) X(matmul_backward_data) X(matmul_backward_weights) \
    X(add_bias) X(sum_over_batch) X(rectify) X(rectify_backward) X(max_pool) X(max_pool_gather) X(max_pool_scatter) X(average_pool) \
    X(average_pool_backward) X(moments) X(inverse_deviation) X(moments_tangent) X(batch_norm) X(batch_norm_tangent) X(batch_norm_sums) \
    X(batch_norm_sums_tangent) X(batch_norm_backward) X(batch_norm_backward_tangent) X(softmax_cross_entropy) X(softmax_tangent) \
    X(patch_moments) X(fold_batch_norm) X(fold_batch_norm_tangent) X(fold_batch_norm_backward) X(fold_batch_norm_backward_tangent) \
    X(conv2d_activation) X(conv2d_activation_tangent) X(conv2d_activation_backward) \
    X(cross_entropy_tangent) X(cross_entropy_backward) X(squared_error) X(squared_error_tangent) X(scale) X(count_correct) \
    X(gather_classes) X(scatter_classes) X(fill) X(copy)
#define BILEVEL_EVERY_PRIMITIVE(X) \
    BILEVEL_EVERY_PRIMITIVE_OF_VIEWS(X) X(add_scaled) X(scale_and_add) X(inner_products) X(for_each_index)
// Those that a backend may bring besides.
#define BILEVEL_EVERY_OPTIONAL_PRIMITIVE(X) \
    X(conv2d_moments) X(transform_weights) X(conv2d_tangent) X(conv2d_backward_data_tangent) X(conv2d_backward_weights_tangent)
// clang-format on
