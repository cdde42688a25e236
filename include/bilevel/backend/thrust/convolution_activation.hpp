// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/backend/thrust/index.hpp>
#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/backend/thrust/normalisation_terms.hpp>
#include <bilevel/backend/thrust/window.hpp>
#include <bilevel/core/array.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

namespace on_device {
/// The patches that a kernel (kh,kw,c,…) reads of images x, term by term.
template <class Scalar> struct patches {
    view<const Scalar> x;
    integer kernel_width, terms;
    convolution_geometry geometry;

    /// Term k of the patch at row i, column j of image b; zero in the padding.
    BILEVEL_HOST_DEVICE Scalar operator()(integer t, integer b, integer i, integer j, integer k) const {
        const integer channels = x.extents[2], tap = quotient(k, channels);
        const integer row = i * geometry.stride + quotient(tap, kernel_width) - geometry.padding,
                      column = j * geometry.stride + rest(tap, kernel_width) - geometry.padding;
        if (row < 0 || row >= x.extents[0] || column < 0 || column >= x.extents[1]) return Scalar(0);
        return x.at(t, b)[(row * x.extents[1] + column) * channels + rest(k, channels)];
    }
    /// Its product with filter q of the weights, for element e of a result whose windows have `step` × `step` patches; of these number `position`.
    template <class Y>
    BILEVEL_HOST_DEVICE Scalar product(integer t, integer e, const Y& y, integer step, integer position,
                                       const view<const Scalar>& w) const {
        const integer filters = y.extents[2], pixel = quotient(e, filters);
        const integer i = rest(quotient(pixel, y.extents[1]), y.extents[0]) * step + position / 2,
                      j = rest(pixel, y.extents[1]) * step + position % 2, b = quotient(e, y.size), q = rest(e, filters);
        Scalar sum(0);
        for (integer k = 0; k < terms; ++k) sum += (*this)(t, b, i, j, k) * w.at(t)[k * filters + q];
        return sum;
    }
};
}  // namespace on_device

/// The moments of patches, and a convolution with what follows it, one call for each element of the result, and sums in fixed blocks; see `folded_kernels`
/// in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_convolution_activation {
    void patch_moments(view<Scalar> mean, view<Scalar> covariance, view<const Scalar> x, convolution_geometry geometry) {
        patch_means(mean, x, geometry);
        const on_device::patches<Scalar> patch{x, mean.extents[1], mean.size, geometry};
        const integer height = geometry.output_extent(x.extents[0], mean.extents[0]),
                      width = geometry.output_extent(x.extents[1], mean.extents[1]), terms = mean.size, count = x.batch * height * width;
        launcher().template for_each_sum<Scalar>(
            x.tasks, count, terms * terms,
            [=] BILEVEL_DEVICE(integer t, integer n, integer pair) {
                const integer line = on_device::quotient(n, width), j = on_device::rest(n, width), k = on_device::quotient(pair, terms);
                const integer b = on_device::quotient(line, height), i = on_device::rest(line, height), l = on_device::rest(pair, terms);
                return (patch(t, b, i, j, k) - mean.at(t)[k]) * (patch(t, b, i, j, l) - mean.at(t)[l]);
            },
            [=] BILEVEL_DEVICE(integer t, integer pair, Scalar sum) { covariance.at(t)[pair] = sum / Scalar(count); });
    }
    /// The first half of that.
    void patch_means(view<Scalar> mean, view<const Scalar> x, convolution_geometry geometry) {
        const on_device::patches<Scalar> patch{x, mean.extents[1], mean.size, geometry};
        const integer height = geometry.output_extent(x.extents[0], mean.extents[0]),
                      width = geometry.output_extent(x.extents[1], mean.extents[1]), count = x.batch * height * width;
        launcher().template for_each_sum<Scalar>(
            x.tasks, count, mean.size,
            [=] BILEVEL_DEVICE(integer t, integer n, integer k) {
                const integer line = on_device::quotient(n, width);
                return patch(t, on_device::quotient(line, height), on_device::rest(line, height), on_device::rest(n, width), k);
            },
            [=] BILEVEL_DEVICE(integer t, integer k, Scalar sum) { mean.at(t)[k] = sum / Scalar(count); });
    }

    void conv2d_activation(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x, view<const Scalar> weights,
                           view<const Scalar> bias, convolution_geometry geometry, activation<Scalar> follows) {
        const on_device::patches<Scalar> patch = patches_of(x, weights, geometry);
        const bool pooled = argmax.size > 0;
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const Scalar add = bias.at(t)[on_device::rest(e, y.extents[2])];
            integer best = 0;
            Scalar largest = patch.product(t, e, y, pooled ? 2 : 1, 0, weights) + add;
            for (integer k = 1; k < (pooled ? 4 : 1); ++k) {
                const Scalar candidate = patch.product(t, e, y, 2, k, weights) + add;
                if (!on_device::is_larger(candidate, largest)) continue;
                largest = candidate;
                best = k;
            }
            y.at(t)[e] = follows.slope == Scalar(1) || largest > Scalar(0) ? largest : follows.slope * largest;
            if (pooled) argmax.at(t)[e] = static_cast<std::uint8_t>(best);
        });
    }

    void conv2d_activation_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, view<const Scalar> x,
                                   view<const Scalar> weights_moved, view<const Scalar> bias_moved, convolution_geometry geometry,
                                   activation<Scalar> follows) {
        const on_device::patches<Scalar> patch = patches_of(x, weights_moved, geometry);
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        launcher().for_each_element(dy.tasks, dy.batch * dy.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const Scalar dz = patch.product(t, e, dy, result.pooled() ? 2 : 1, result.position(t, e), weights_moved);
            dy.at(t)[e] = (dz + bias_moved.at(t)[on_device::rest(e, dy.extents[2])]) * result.slope(t, e);
        });
    }

    void conv2d_activation_backward(view<Scalar> dweights, view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y,
                                    view<const std::uint8_t> argmax, view<const Scalar> x, convolution_geometry geometry,
                                    activation<Scalar> follows) {
        const on_device::patches<Scalar> patch = patches_of(x, view<const Scalar>(dweights), geometry);
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer filters = dbias.size, pixels = dy.batch * dy.size / filters;
        launcher().template for_each_sum<Scalar>(
            dy.tasks, pixels, dweights.size,
            [=] BILEVEL_DEVICE(integer t, integer pixel, integer element) {
                const integer e = pixel * filters + on_device::rest(element, filters), step = result.pooled() ? 2 : 1,
                              at = result.position(t, e);
                const integer line = on_device::quotient(pixel, dy.extents[1]), b = on_device::quotient(line, dy.extents[0]);
                const integer i = on_device::rest(line, dy.extents[0]) * step + at / 2,
                              j = on_device::rest(pixel, dy.extents[1]) * step + at % 2;
                return dy.at(t)[e] * result.slope(t, e) * patch(t, b, i, j, on_device::quotient(element, filters));
            },
            [=] BILEVEL_DEVICE(integer t, integer element, Scalar sum) { dweights.at(t)[element] = sum; });
        activation_backward_bias(dbias, dy, y, argmax, follows);
    }
    /// The second half of that.
    void activation_backward_bias(view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax,
                                  activation<Scalar> follows) {
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer filters = dbias.size;
        launcher().template for_each_sum<Scalar>(
            dy.tasks, dy.batch * dy.size / filters, filters,
            [=] BILEVEL_DEVICE(integer t, integer pixel, integer q) {
                const integer e = pixel * filters + q;
                return dy.at(t)[e] * result.slope(t, e);
            },
            [=] BILEVEL_DEVICE(integer t, integer q, Scalar sum) { dbias.at(t)[q] = sum; });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
    static on_device::patches<Scalar> patches_of(const view<const Scalar>& x, const view<const Scalar>& weights,
                                                 convolution_geometry geometry) {
        return {x, weights.extents[1], weights.size / weights.extents[3], geometry};
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
