// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_algorithm.hpp>
#include <bilevel/backend/folded.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/core/shape.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "primitive_row.hpp"

/// The primitives of a layer, at its shapes. 3 × 3 convolutions also by each algorithm, pinned, where the kernels can be told.
namespace benchmarks {

using bilevel::dynamic;
using bilevel::shape;
using bilevel::backend::activation;
using bilevel::backend::folded;
using bilevel::backend::normalised;

/// "14x14x64"
template <class Shape> std::string extents_of(integer width = 0) {
    std::string text;
    for (const integer extent : Shape::extents) (text += text.empty() ? "" : "x") += std::to_string(extent == dynamic ? width : extent);
    return text;
}

inline const char* name_of(convolution_algorithm algorithm) {
    switch (algorithm) {
        case convolution_algorithm::automatic:
            return "automatic";
        case convolution_algorithm::direct:
            return "direct";
        case convolution_algorithm::direct_across_images:
            return "direct_across_images";
        case convolution_algorithm::winograd_2x2:
            return "winograd_2x2";
        case convolution_algorithm::winograd_4x4:
            return "winograd_4x4";
    }
    return "";
}

inline bool is_winograd(convolution_algorithm algorithm) {
    return algorithm == convolution_algorithm::winograd_2x2 || algorithm == convolution_algorithm::winograd_4x4;
}

template <class Kernels> concept pinnable = requires(Kernels& k, convolution_algorithm algorithm) { k.pin(algorithm); };

template <class Machine, class Layer> void register_convolution(const place& at, std::initializer_list<convolution_algorithm> pins) {
    using in = typename Layer::input;
    using out = typename Layer::output;
    using weights = typename Layer::weights;
    constexpr bool reads_images = in::template extent<2> <= 3;  // nobody wants the derivative by the image
    constexpr auto geometry = Layer::geometry;
    const integer n = at.images;
    const auto register_at = [=](const place& one) {
        BILEVEL_ROW(conv2d, one, p.take<out>(n), p.take<in>(n), p.take<weights>(1), geometry, false);
        if (!reads_images) BILEVEL_ROW(conv2d_backward_data, one, p.take<in>(n), p.take<out>(n), p.take<weights>(1), geometry, false);
        if (one.pinned != convolution_algorithm::winograd_4x4)  // which has none of its own
            BILEVEL_ROW(conv2d_backward_weights, one, p.take<weights>(1), p.take<in>(n), p.take<out>(n), geometry, false);
    };
    register_at(at);
    if (reads_images) return;
    if constexpr (pinnable<typename Machine::kernels>)
        for (const convolution_algorithm pinned : pins)
            if ((geometry.stride == 1 || !is_winograd(pinned)) && Machine::follows(pinned, out::extents, in::template extent<2>))
                register_at({at.name + '/' + name_of(pinned), n, at.tasks, pinned});
    if constexpr (bilevel::backend::convolution_tangent_kernels<typename Machine::kernels>) {
        BILEVEL_ROW(conv2d_moments, at, p.take<out>(n), p.take<shape<Layer::output::template extent<2>>>(1),
                    p.take<shape<Layer::output::template extent<2>>>(1), p.take<in>(n), p.take<weights>(1), geometry, 1e-5F);
        BILEVEL_ROW(conv2d_tangent, at, p.take<out>(n), p.take<in>(n), p.take<weights>(1), p.take<in>(n), p.take<weights>(1), geometry);
        BILEVEL_ROW(conv2d_backward_data_tangent, at, p.take<in>(n), p.take<out>(n), p.take<weights>(1), p.take<out>(n), p.take<weights>(1),
                    geometry);
        BILEVEL_ROW(conv2d_backward_weights_tangent, at, p.take<weights>(1), p.take<in>(n), p.take<out>(n), p.take<in>(n), p.take<out>(n),
                    geometry);
    }
    if constexpr (bilevel::backend::weight_transforming_kernels<typename Machine::kernels> && Layer::transforms_weights_ahead) {
        using transformed = bilevel::backend::transformed_weights<float, in::template extent<2>, out::template extent<2>>;
        const auto ahead = [](planes& p) {
            return bilevel::backend::convolution_weights<float>(p.take<weights>(1), p.take<transformed>(1));
        };
        const place adjoint{at.name + "/adjoint", n, at.tasks}, with_transform{at.name + "/transformed", n, at.tasks};
        BILEVEL_ROW(transform_weights, at, p.take<transformed>(1), p.take<weights>(1), p.take<in>(n), geometry, false);
        BILEVEL_ROW(transform_weights, adjoint, p.take<transformed>(1), p.take<weights>(1), p.take<out>(n), geometry, true);
        BILEVEL_ROW(conv2d_tangent, with_transform, p.take<out>(n), p.take<in>(n), ahead(p), p.take<in>(n), p.take<weights>(1), geometry);
        BILEVEL_ROW(conv2d_backward_data_tangent, with_transform, p.take<in>(n), p.take<out>(n), ahead(p), p.take<out>(n),
                    p.take<weights>(1), geometry);
    }
}

/// The positions of the maxima behind a batch norm, or none where it does not pool.
template <class BatchNorm> view<std::uint8_t> positions(planes& p, integer n) {
    using result = typename BatchNorm::output;
    if constexpr (std::is_same_v<typename BatchNorm::input, result>) {
        return {};
    } else {
        return p.take<result, std::uint8_t>(n);
    }
}
template <class BatchNorm> activation<float> what_follows() { return {BatchNorm::template slope<float>()}; }

template <class Machine, class Layer> void register_batch_norm(const place& at) {
    using image = typename Layer::input;
    using result = typename Layer::output;
    using channel = typename Layer::channel;
    const integer n = at.images;
    const auto follows = what_follows<Layer>();
    const auto from = [=](planes& p) { return positions<Layer>(p, n); };
    const auto of = [=](planes& p) {
        return normalised<float>{p.take<image>(n), p.take<channel>(1), p.take<channel>(1), p.take<channel>(1), p.take<channel>(1)};
    };
    BILEVEL_ROW(moments, at, p.take<channel>(1), p.take<channel>(1), p.take<image>(n), float(Layer::epsilon));
    BILEVEL_ROW(inverse_deviation, at, p.take<channel>(1), p.ones<channel>(), float(Layer::epsilon));
    BILEVEL_ROW(moments_tangent, at, p.take<channel>(1), p.take<channel>(1), p.take<image>(n), of(p));
    BILEVEL_ROW(batch_norm, at, p.take<result>(n), from(p), of(p), follows);
    BILEVEL_ROW(batch_norm_tangent, at, p.take<result>(n), p.take<result>(n), from(p), of(p), of(p), follows);
    BILEVEL_ROW(batch_norm_sums, at, p.take<channel>(1), p.take<channel>(1), p.take<result>(n), p.take<result>(n), from(p), of(p), follows);
    BILEVEL_ROW(batch_norm_sums_tangent, at, p.take<channel>(1), p.take<channel>(1), p.take<result>(n), p.take<result>(n),
                p.take<result>(n), from(p), of(p), of(p), follows);
    BILEVEL_ROW(batch_norm_backward, at, p.take<image>(n), p.take<channel>(1), p.take<channel>(1), p.take<result>(n), p.take<result>(n),
                from(p), of(p), follows);
    BILEVEL_ROW(batch_norm_backward_tangent, at, p.take<image>(n), p.take<channel>(1), p.take<channel>(1), p.take<channel>(1),
                p.take<channel>(1), p.take<result>(n), p.take<result>(n), p.take<result>(n), from(p), of(p), of(p), follows);
}

/// A convolution of constant images with the batch norm behind it folded in.
template <class Machine, class Convolution, class BatchNorm> void register_folded(const place& at) {
    using image = typename Convolution::input;
    using weights = typename Convolution::weights;
    using result = typename BatchNorm::output;
    using filters = typename BatchNorm::channel;
    using patch = shape<weights::template extent<0>, weights::template extent<1>, weights::template extent<2>>;
    using covariance = shape<patch::count(), patch::count()>;
    constexpr auto geometry = Convolution::geometry;
    const integer n = at.images;
    const auto follows = what_follows<BatchNorm>();
    const auto from = [=](planes& p) { return positions<BatchNorm>(p, n); };
    const auto of = [](planes& p) {
        return folded<float>{p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1)};
    };
    BILEVEL_ROW(patch_moments, at, p.take<patch>(1), p.take<covariance>(1), p.take<image>(n), geometry);
    BILEVEL_ROW(fold_batch_norm, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1),
                p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<patch>(1), p.ones<covariance>(),
                float(BatchNorm::epsilon));
    BILEVEL_ROW(fold_batch_norm_tangent, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<filters>(1),
                p.take<weights>(1), of(p), p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<patch>(1),
                p.ones<covariance>());
    BILEVEL_ROW(fold_batch_norm_backward, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1),
                p.take<filters>(1), of(p), p.take<patch>(1));
    BILEVEL_ROW(fold_batch_norm_backward_tangent, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1),
                p.take<filters>(1), p.take<weights>(1), p.take<filters>(1), of(p), of(p), p.take<patch>(1));
    BILEVEL_ROW(conv2d_activation, at, p.take<result>(n), from(p), p.take<image>(n), p.take<weights>(1), p.take<filters>(1), geometry,
                follows);
    BILEVEL_ROW(conv2d_activation_tangent, at, p.take<result>(n), p.take<result>(n), from(p), p.take<image>(n), p.take<weights>(1),
                p.take<filters>(1), geometry, follows);
    BILEVEL_ROW(conv2d_activation_backward, at, p.take<weights>(1), p.take<filters>(1), p.take<result>(n), p.take<result>(n), from(p),
                p.take<image>(n), geometry, follows);
}

/// A layer without parameters.
template <class Machine, class Layer> void register_plain(const place& at) {
    using in = typename Layer::input;
    using out = typename Layer::output;
    constexpr std::string_view kind = Layer::name;
    const integer n = at.images;
    if constexpr (kind == "max_pool") {
        BILEVEL_ROW(max_pool, at, p.take<out>(n), p.take<out, std::uint8_t>(n), p.take<in>(n));
        BILEVEL_ROW(max_pool_gather, at, p.take<out>(n), p.take<in>(n), p.take<out, std::uint8_t>(n));
        BILEVEL_ROW(max_pool_scatter, at, p.take<in>(n), p.take<out>(n), p.take<out, std::uint8_t>(n));
    } else if constexpr (kind == "global_average_pool") {
        BILEVEL_ROW(average_pool, at, p.take<out>(n), p.take<in>(n));
        BILEVEL_ROW(average_pool_backward, at, p.take<in>(n), p.take<out>(n));
    } else {
        constexpr float slope = kind == "relu" ? 0.0F : 0.1F;
        BILEVEL_ROW(rectify, at, p.take<out>(n), p.take<in>(n), slope);
        BILEVEL_ROW(rectify_backward, at, p.take<in>(n), p.take<out>(n), p.take<out>(n), slope);
    }
}

}  // namespace benchmarks
