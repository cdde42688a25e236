// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cpu/batch_norm_passes.hpp>
#include <bilevel/backend/cpu/direct_convolution.hpp>
#include <bilevel/backend/cpu/patch_moments.hpp>
#include <bilevel/backend/cpu/pooled_maximum.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// A convolution of images that are constants, and what follows it, strip by strip: the convolution's result is as many rows of one image as stay in the
/// first cache; see `folded_kernels` in primitives.hpp.
template <class Scalar> class cpu_convolution_activation : direct_convolution<Scalar>, batch_norm_passes<Scalar> {
public:
    void patch_moments(view<Scalar> mean, view<Scalar> covariance, view<const Scalar> x, convolution_geometry geometry) {
        for (integer t = 0; t < x.tasks; ++t) {
            const axes over(geometry, mean, x);
            for (integer b = 0; b < x.batch; ++b) {
                const image<const Scalar> padded = with_padding(x, t, b, over);
                if (b == 0)
                    patches_.begin(
                        {over.vertical.pixels, over.horizontal.pixels, geometry.stride, padded.row(), geometry.stride * padded.channels,
                         padded.height, padded.channels, mean.extents[0], mean.extents[1] * padded.channels},
                        x.at(t), x.batch * x.extents[0] * x.extents[1]);
                patches_.add(padded.data);
            }
            patches_.end(mean.at(t), covariance.at(t));
        }
    }

    void conv2d_activation(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x, view<const Scalar> weights,
                           view<const Scalar> bias, convolution_geometry geometry, activation<Scalar> follows) {
        const Scalar slope = follows.slope;
        for_each_convolved(y, x, weights, geometry, argmax.size > 0, [&](const strip& s) {
            const Scalar *const add = bias.at(s.task), *const z = s.data;
            Scalar* const out = y.at(s.task) + s.result;
            if (argmax.size == 0) {
                for (integer i = 0; i < s.rows * s.width * s.filters; i += s.filters)
                    for_each_vector<Scalar>(s.filters, [=](auto lane, integer q) BILEVEL_INLINE_LAMBDA {
                        lane.put(out + i + q, rectified(Eigen::internal::padd(lane.get(z + i + q), lane.get(add + q)), slope));
                    });
                return;
            }
            std::uint8_t* const position = argmax.at(s.task) + s.result;
            for_each_pooling_window(0, 1, s.pooled(), s.whole(), [=](integer to, const pooling_window& at, integer filters) {
                pool_maximum(
                    out + to, position + to, filters,
                    [=](auto lane, int k, integer q)
                        BILEVEL_INLINE_LAMBDA { return Eigen::internal::padd(lane.get(z + at[k] + q), lane.get(add + q)); },
                    [slope](const auto& largest) BILEVEL_INLINE_LAMBDA { return rectified(largest, slope); });
            });
        });
    }

    void conv2d_activation_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, view<const Scalar> x,
                                   view<const Scalar> weights_moved, view<const Scalar> bias_moved, convolution_geometry geometry,
                                   activation<Scalar> follows) {
        for_each_convolved(dy, x, weights_moved, geometry, argmax.size > 0, [&](const strip& s) {
            const Scalar *const add = bias_moved.at(s.task), *const z = s.data;
            for_each_chosen(
                s.of(dy), s.of(y), s.of(argmax), s.whole(), 0, follows,
                [=, out = dy.at(s.task) + s.result](integer o, integer q, auto get, Scalar slope) { out[o] = slope * (get(z) + add[q]); });
        });
    }

    void conv2d_activation_backward(view<Scalar> dweights, view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y,
                                    view<const std::uint8_t> argmax, view<const Scalar> x, convolution_geometry geometry,
                                    activation<Scalar> follows) {
        const integer filters = dbias.size;
        for (integer t = 0; t < dy.tasks; ++t) {
            const Scalar *const in = dy.at(t), *const sign = follows.is_linear() ? in : y.at(t);
            by_channel::sum(
                dy.batch * dy.size / filters, filters,
                [=, below = follows.slope](integer i, integer) { return (sign[i] > Scalar(0) ? Scalar(1) : below) * in[i]; },
                [to = dbias.at(t)](integer q, Scalar sum) { to[q] = sum; });
        }
        for_each_strip(
            dy, x, dweights, geometry, argmax.size > 0,
            [&](const strip& s, image<const Scalar> padded, const convolution_axis& vertical, const convolution_axis& horizontal) {
                Scalar* const dz = s.data;
                const Scalar* const in = dy.at(s.task) + s.result;
                write_inputs(
                    dz, s.of(dy), s.of(y), s.of(argmax), view<const Scalar>(s.whole()), 0, follows,
                    [](auto, integer, integer) { return broadcast(Scalar(0)); },
                    [=](auto lane, integer o, integer, const auto& slope) { return Eigen::internal::pmul(slope, lane.get(in + o)); });
                correlate_rows(dweights.at(s.task), padded, {dz, 1, s.rows, s.width, filters}, filters, vertical, horizontal, !s.is_first);
            });
    }

private:
    using direct = direct_convolution<Scalar>;
    using direct::correlate_over_images, direct::correlate_rows;
    template <class T> using image = typename direct::template image<T>;
    using passes = batch_norm_passes<Scalar>;
    using passes::for_each_chosen, passes::write_inputs;

    struct axes {
        convolution_axis vertical, horizontal;
        template <class Kernel>
        axes(convolution_geometry geometry, const view<Kernel>& kernel, const view<const Scalar>& x)
            : vertical{geometry.output_extent(x.extents[0], kernel.extents[0]),
                       geometry.stride,
                       -geometry.padding,
                       kernel.extents[0],
                       0,
                       1},
              horizontal{
                  geometry.output_extent(x.extents[1], kernel.extents[1]), geometry.stride, -geometry.padding, kernel.extents[1], 0, 1} {}
    };

    /// Rows of the convolution's result of one image, and where the result of what follows begins in its task.
    struct strip {
        Scalar* data;
        integer task, result, rows, width, filters;
        bool is_pooled, is_first;

        view<Scalar> whole() const { return {data, 0, 1, 1, rows * width * filters, {rows, width, filters}}; }
        view<Scalar> pooled() const {
            const integer step = is_pooled ? 2 : 1;
            return {data, 0, 1, 1, (rows / step) * (width / step) * filters, {rows / step, width / step, filters}};
        }
        /// Its part of a plane of results; of a plane without elements, all of it.
        template <class T> view<T> of(const view<T>& plane) const {
            if (plane.size == 0) return plane;
            const view<Scalar> mine = pooled();
            return {plane.at(task) + result, 0, 1, 1, mine.size, {mine.extents[0], mine.extents[1], mine.extents[2]}};
        }
    };

    /// f(strip, image with padding from the strip's first row on, axes of the strip) for all rows whose results are read.
    template <class Y, class Kernel, class F>
    void for_each_strip(const view<Y>& y, const view<const Scalar>& x, const view<Kernel>& kernel, convolution_geometry geometry,
                        bool pooled, F f) {
        const axes over(geometry, kernel, x);
        const integer filters = y.extents[2], width = over.horizontal.pixels, step = pooled ? 2 : 1, rows = y.extents[0] * step;
        const integer most = std::max(strip_bytes / (width * filters * integer(sizeof(Scalar)) * step), integer{1}) * step;
        // A register tile reads whole vectors from the last pixel too.
        Scalar* const data = scratch(strip_, most * width * filters + widest_tile * lanes<Scalar>);
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b) {
                const image<const Scalar> padded = with_padding(x, t, b, over);
                for (integer first = 0; first < rows; first += most) {
                    const integer here = std::min(most, rows - first);
                    convolution_axis vertical = over.vertical;
                    vertical.pixels = here;
                    const image<const Scalar> from{padded.data + first * geometry.stride * padded.row(), 1, padded.height, padded.width,
                                                   padded.channels};
                    const integer result = b * y.size + first / step * y.extents[1] * filters;
                    f(strip{data, t, result, here, width, filters, pooled, b == 0 && first == 0}, from, vertical, over.horizontal);
                }
            }
    }

    /// f(strip) for strips that hold conv2d(x, weights).
    template <class Y, class F>
    void for_each_convolved(const view<Y>& y, const view<const Scalar>& x, const view<const Scalar>& weights, convolution_geometry geometry,
                            bool pooled, F f) {
        const integer filters = y.extents[2], terms = weights.size / filters;
        integer packed_for = -1;
        const Scalar* packed = nullptr;
        for_each_strip(
            y, x, weights, geometry, pooled,
            [&](const strip& s, image<const Scalar> padded, const convolution_axis& vertical, const convolution_axis& horizontal) {
                if (packed_for != s.task) {
                    packed = direct::packed(weights, s.task, terms, filters);
                    packed_for = s.task;
                }
                correlate_over_images({s.data, 1, s.rows, s.width, filters}, padded, packed, vertical, horizontal, false);
                f(s);
            });
    }

    image<const Scalar> with_padding(const view<const Scalar>& x, integer t, integer b, const axes& over) {
        image<const Scalar> result{};
        const image<const Scalar> one{x.at(t, b), 1, x.extents[0], x.extents[1], x.extents[2]};
        this->for_each_padded_block(one, over.vertical, over.horizontal, true,
                                    [&](integer, image<const Scalar> padded) { result = padded; });
        return result;
    }

    static constexpr integer strip_bytes = integer{1} << 14;
    aligned_vector<Scalar> strip_;
    patch_moments_of<Scalar> patches_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
