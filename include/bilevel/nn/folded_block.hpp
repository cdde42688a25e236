// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/autodiff/operation/folded.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/core/tuple.hpp>
#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/forwarded.hpp>

namespace bilevel::nn {

/// A convolution and the batch norm behind it, of images that nobody differentiates, as a network's first layers are: the same function and the same
/// parameters as the two layers one after the other, but the convolution's result, the largest array of a network, is not stored. Its statistics are those
/// of the images' patches, seen through the weights; what moves is the weights with batch norm folded into them, an array as small as the kernel.
/// `sequential` takes it by itself.
template <class Convolution, class BatchNorm> struct folded_block;

template <class Input, integer Filters, integer Stride, integer Padding, integer Kernel, integer SlopeNumerator, integer SlopeDenominator,
          bool Pooled>
struct folded_block<
    convolution<Input, Filters, Stride, Padding, Kernel>,
    batch_norm<typename convolution<Input, Filters, Stride, Padding, Kernel>::output, SlopeNumerator, SlopeDenominator, Pooled>> {
    using convolved = convolution<Input, Filters, Stride, Padding, Kernel>;
    using normalised = batch_norm<typename convolved::output, SlopeNumerator, SlopeDenominator, Pooled>;

    /// The covariance has kh kw c rows: behind an image of many channels it would cost more than it spares.
    static constexpr bool pays = Kernel * Kernel * Input::template extent<2> <= Filters;

    template <class E> static auto forward(E& e, auto x, auto p) {
        using scalar = typename E::scalar;
        using patch = shape<Kernel, Kernel, Input::template extent<2>>;
        auto [w] = p.split(typename convolved::parameters{});
        auto of_normalised = p.from(convolved::parameters::size(), 0);
        auto [gain, shift] = of_normalised.split(typename normalised::parameters{});
        auto [patch_mean, covariance] = e.once(operation::patch_moments<patch, Stride, Padding>{}, x);
        auto [weights, bias, mean, r, v] =
            e(operation::fold_batch_norm<scalar>{scalar(normalised::epsilon)}, w, gain, shift, patch_mean, covariance);
        auto [y, argmax] =
            e(operation::conv2d_activation<scalar, Stride, Padding, Pooled>{normalised::template slope<scalar>()}, x, weights, bias);
        if constexpr (E::is_primal) {
            if (p.statistics) normalised::record(e.kernels, of_normalised, mean, r);
        }
        return forwarded{y, tuple{x, patch_mean, weights, bias, mean, r, v, y, argmax}};
    }

    template <class E> static auto backward(E& e, auto saved, auto p, auto g, auto dy) {
        using scalar = typename E::scalar;
        auto [x, patch_mean, weights, bias, mean, r, v, y, argmax] = saved;
        auto [w] = p.split(typename convolved::parameters{});
        auto [gain, shift] = p.from(convolved::parameters::size(), 0).split(typename normalised::parameters{});
        auto [dw] = g.split(typename convolved::parameters{});
        auto [dgain, dshift] = g.from(convolved::parameters::size(), 0).split(typename normalised::parameters{});
        if constexpr (decltype(dw)::wanted) {
            auto [dweights, dbias] = e(operation::conv2d_activation_backward<scalar, Stride, Padding>{normalised::template slope<scalar>()},
                                       dy, y, argmax, x, weights, bias);
            e.gradient(tuple{dw, dgain, dshift}, operation::fold_batch_norm_backward{}, dweights, dbias, w, gain, mean, r, v, patch_mean);
        }
        return nothing{};
    }
};

}  // namespace bilevel::nn
