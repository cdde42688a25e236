// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The moments of patches, and a convolution with what follows it, by plain loops; see `folded_kernels` in primitives.hpp.
template <class Scalar> struct reference_convolution_activation {
    void patch_moments(view<Scalar> mean, view<Scalar> covariance, view<const Scalar> x, convolution_geometry geometry) {
        const integer height = geometry.output_extent(x.extents[0], mean.extents[0]),
                      width = geometry.output_extent(x.extents[1], mean.extents[1]), terms = mean.size;
        const Scalar count = Scalar(x.batch * height * width);
        const auto sum = [=](auto term) {
            Scalar total(0);
            for (integer b = 0; b < x.batch; ++b)
                for (integer i = 0; i < height; ++i)
                    for (integer j = 0; j < width; ++j) total += term(b, i, j);
            return total;
        };
        for (integer t = 0; t < x.tasks; ++t) {
            for (integer k = 0; k < terms; ++k)
                mean.at(t)[k] = sum([=](integer b, integer i, integer j) { return element(x, mean, geometry, t, b, i, j, k); }) / count;
            for (integer k = 0; k < terms; ++k)
                for (integer l = 0; l < terms; ++l)
                    covariance.at(t)[k * terms + l] = sum([=](integer b, integer i, integer j) {
                                                          return (element(x, mean, geometry, t, b, i, j, k) - mean.at(t)[k]) *
                                                                 (element(x, mean, geometry, t, b, i, j, l) - mean.at(t)[l]);
                                                      }) /
                                                      count;
        }
    }

    void conv2d_activation(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x, view<const Scalar> weights,
                           view<const Scalar> bias, convolution_geometry geometry, activation<Scalar> follows) {
        const bool pooled = argmax.size > 0;
        for_each_output(y, pooled, [=](integer t, integer out, const place& at) {
            integer best = 0;
            Scalar largest = product(x, weights, geometry, t, at, 0) + bias.at(t)[at.filter];
            for (integer k = 1; k < (pooled ? 4 : 1); ++k) {
                const Scalar value = product(x, weights, geometry, t, at, k) + bias.at(t)[at.filter];
                if (largest == largest && !(value <= largest)) {
                    largest = value;
                    best = k;
                }
            }
            y.at(t)[out] = follows.is_linear() || largest > Scalar(0) ? largest : follows.slope * largest;
            if (pooled) argmax.at(t)[out] = static_cast<std::uint8_t>(best);
        });
    }
    void conv2d_activation_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, view<const Scalar> x,
                                   view<const Scalar> weights_moved, view<const Scalar> bias_moved, convolution_geometry geometry,
                                   activation<Scalar> follows) {
        for_each_output(dy, argmax.size > 0, [=](integer t, integer out, const place& at) {
            const Scalar dz = product(x, weights_moved, geometry, t, at, chosen(argmax, t, out)) + bias_moved.at(t)[at.filter];
            dy.at(t)[out] = dz * factor(y, t, out, follows);
        });
    }
    void conv2d_activation_backward(view<Scalar> dweights, view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y,
                                    view<const std::uint8_t> argmax, view<const Scalar> x, convolution_geometry geometry,
                                    activation<Scalar> follows) {
        const integer filters = dbias.size, terms = dweights.size / filters;
        for (integer t = 0; t < dy.tasks; ++t) {
            for (integer k = 0; k < dweights.size; ++k) dweights.at(t)[k] = Scalar(0);
            for (integer q = 0; q < filters; ++q) dbias.at(t)[q] = Scalar(0);
        }
        for_each_output(dy, argmax.size > 0, [=](integer t, integer out, const place& at) {
            const Scalar dz = dy.at(t)[out] * factor(y, t, out, follows);
            const place from = at.of(chosen(argmax, t, out));
            dbias.at(t)[at.filter] += dz;
            for (integer k = 0; k < terms; ++k)
                dweights.at(t)[k * filters + at.filter] += dz * element(x, dweights, geometry, t, at.image, from.row, from.column, k);
        });
    }

private:
    /// A position of the convolution's result: where a result comes from, or the first of its 2 × 2 window.
    struct place {
        integer image, row, column, filter;
        place of(integer k) const { return {image, row + k / 2, column + k % 2, filter}; }
    };
    template <class Y, class F> static void for_each_output(const view<Y>& y, bool pooled, F f) {
        const integer filters = y.extents[2], step = pooled ? 2 : 1;
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b)
                for (integer e = 0; e < y.size; ++e)
                    f(t, b * y.size + e, place{b, step * (e / filters / y.extents[1]), step * (e / filters % y.extents[1]), e % filters});
    }
    static integer chosen(const view<const std::uint8_t>& argmax, integer t, integer out) {
        return argmax.size > 0 ? argmax.at(t)[out] : 0;
    }
    static Scalar factor(const view<const Scalar>& y, integer t, integer out, activation<Scalar> follows) {
        return follows.is_linear() || y.at(t)[out] > Scalar(0) ? Scalar(1) : follows.slope;
    }
    /// Element k of the patch at (i, j), in the order of the kernel's elements (kh,kw,c,…); zero in the padding.
    template <class Kernel>
    static Scalar element(const view<const Scalar>& x, const view<Kernel>& kernel, convolution_geometry geometry, integer t, integer b,
                          integer i, integer j, integer k) {
        const integer channels = x.extents[2], tap = k / channels;
        const integer row = i * geometry.stride + tap / kernel.extents[1] - geometry.padding,
                      column = j * geometry.stride + tap % kernel.extents[1] - geometry.padding;
        if (row < 0 || row >= x.extents[0] || column < 0 || column >= x.extents[1]) return Scalar(0);
        return x.at(t, b)[(row * x.extents[1] + column) * channels + k % channels];
    }
    static Scalar product(const view<const Scalar>& x, const view<const Scalar>& weights, convolution_geometry geometry, integer t,
                          const place& at, integer k) {
        const place from = at.of(k);
        const integer filters = weights.extents[3], terms = weights.size / filters;
        Scalar sum(0);
        for (integer i = 0; i < terms; ++i)
            sum += element(x, weights, geometry, t, from.image, from.row, from.column, i) * weights.at(t)[i * filters + from.filter];
        return sum;
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
