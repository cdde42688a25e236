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
/// first cache; threads share the images. See `folded_kernels` in primitives.hpp.
template <class Scalar> class cpu_convolution_activation : direct_convolution<Scalar>, batch_norm_passes<Scalar> {
public:
    void patch_moments(view<Scalar> mean, view<Scalar> covariance, view<const Scalar> x, convolution_geometry geometry) {
        const axes over(geometry, mean, x);
        const integer shares = this->shares_of_products(x.batch * over.pixels() * mean.size * mean.size);
        for (integer t = 0; t < x.tasks; ++t) {
            const image_blocks images = one_by_one(x, t, over);
            Scalar* const memory = scratch(memory_, this->members() * images.memory());
            const integer channels = x.extents[2], row = images.width * channels;
            patches_.begin({over.vertical.pixels, over.horizontal.pixels, geometry.stride, row, geometry.stride * channels, images.height,
                            channels, mean.extents[0], mean.extents[1] * channels},
                           x.at(t), x.batch * x.extents[0] * x.extents[1], this->members(), this->slots(shares));
            this->for_each_part_in_order(
                x.batch, shares,
                [&](integer b, integer member, integer slot) {
                    patches_.sum_image(images.with_zeros(b, memory + member * images.memory()).data, member, slot);
                },
                [&](integer, integer slot) { patches_.add(slot); });
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
            visit_chosen(
                s.of(dy), s.of(y), s.of(argmax), s.whole(), 0, follows, 0, s.results(),
                [=, out = dy.at(s.task) + s.result](integer o, integer q, auto get, Scalar slope) { out[o] = slope * (get(z) + add[q]); });
        });
    }

    void conv2d_activation_backward(view<Scalar> dweights, view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y,
                                    view<const std::uint8_t> argmax, view<const Scalar> x, convolution_geometry geometry,
                                    activation<Scalar> follows) {
        const strips cut(dy, x, dweights, geometry, argmax.size > 0);
        const integer filters = dbias.size, kernel = dweights.size, shares = this->shares_of_products(dy.batch * cut.products());
        Scalar* const memory = scratch(memory_, this->members() * cut.memory());
        Scalar* const sums = scratch(sums_, this->slots(shares) * (kernel + filters));
        for (integer t = 0; t < dy.tasks; ++t) {
            Scalar *const to = dweights.at(t), *const to_bias = dbias.at(t);
            std::fill_n(to, kernel, Scalar(0));
            std::fill_n(to_bias, filters, Scalar(0));
            this->for_each_part_in_order(
                dy.batch, shares,
                [&](integer b, integer member, integer slot) {
                    Scalar* const of_image = sums + slot * (kernel + filters);
                    const Scalar *const in = dy.at(t, b), *const sign = follows.is_linear() ? in : y.at(t, b);
                    by_channel::sum(
                        dy.size / filters, filters,
                        [=, below = follows.slope](integer i, integer) { return (sign[i] > Scalar(0) ? Scalar(1) : below) * in[i]; },
                        [to = of_image + kernel](integer q, Scalar sum) { to[q] = sum; });
                    cut.for_each(t, b, memory + member * cut.memory(), [&](const strip& s, image<const Scalar> padded) {
                        add_strip(of_image, s, padded, cut, dy, y, argmax, follows);
                    });
                },
                [&](integer, integer slot) {
                    const Scalar* const of_image = sums + slot * (kernel + filters);
                    for (integer k = 0; k < kernel; ++k) to[k] += of_image[k];
                    for (integer q = 0; q < filters; ++q) to_bias[q] += of_image[kernel + q];
                });
        }
    }

private:
    using direct = direct_convolution<Scalar>;
    using direct::correlate_pixels, direct::correlate_rows;
    template <class T> using image = typename direct::template image<T>;
    using passes = batch_norm_passes<Scalar>;
    using passes::visit_chosen, passes::write_inputs_of;
    using typename direct::image_blocks;

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
        integer pixels() const { return vertical.pixels * horizontal.pixels; }
    };
    /// Images with padding, one at a time, behind which a vector more can be read.
    static image_blocks one_by_one(const view<const Scalar>& x, integer t, const axes& over) {
        return {direct::image_of(x, t), over.vertical, over.horizontal, 1, true};
    }

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
        integer results() const { return pooled().size / filters; }
        /// Its part of a plane of results; of a plane without elements, all of it.
        template <class T> view<T> of(const view<T>& plane) const {
            if (plane.size == 0) return plane;
            const view<Scalar> mine = pooled();
            return {plane.at(task) + result, 0, 1, 1, mine.size, {mine.extents[0], mine.extents[1], mine.extents[2]}};
        }
    };

    /// How the images of all tasks are cut into strips, of the rows whose results are read.
    struct strips {
        template <class Y, class Kernel>
        strips(const view<Y>& y, const view<const Scalar>& images, const view<Kernel>& kernel, convolution_geometry geometry, bool pooled)
            : x(images), over(geometry, kernel, images), filters(y.extents[2]), terms(kernel.size / filters), step(pooled ? 2 : 1),
              rows(y.extents[0] * step),
              most(std::max(strip_bytes / (over.horizontal.pixels * filters * integer(sizeof(Scalar)) * step), integer{1}) * step),
              result_size(y.size), result_row(y.extents[1] * filters) {}

        /// Multiply-adds of an image.
        integer products() const { return rows * over.horizontal.pixels * terms * filters; }
        /// Elements of the memory that a strip and its image take. A register tile reads whole vectors from the last pixel too.
        integer memory() const { return strip_size() + one_by_one(x, 0, over).memory(); }
        integer strip_size() const { return packed_columns<Scalar>(most * over.horizontal.pixels * filters) + widest_tile * lanes<Scalar>; }
        convolution_axis vertical(const strip& s) const {
            convolution_axis axis = over.vertical;
            axis.pixels = s.rows;
            return axis;
        }

        /// f(strip, image with padding from the strip's first row on) for the strips of one image.
        template <class F> void for_each(integer t, integer b, Scalar* data, F f) const {
            const image<const Scalar> padded = one_by_one(x, t, over).with_zeros(b, data + strip_size());
            for (integer first = 0; first < rows; first += most) {
                const image<const Scalar> from{padded.data + first * over.vertical.stride * padded.row(), 1, padded.height, padded.width,
                                               padded.channels};
                f(strip{data, t, b * result_size + first / step * result_row, std::min(most, rows - first), over.horizontal.pixels, filters,
                        step == 2, first == 0},
                  from);
            }
        }

        view<const Scalar> x;
        axes over;
        integer filters, terms, step, rows, most, result_size, result_row;
    };

    /// f(strip) for strips that hold conv2d(x, weights).
    template <class Y, class F>
    void for_each_convolved(const view<Y>& y, const view<const Scalar>& x, const view<const Scalar>& weights, convolution_geometry geometry,
                            bool pooled, F f) {
        const strips cut(y, x, weights, geometry, pooled);
        const integer shares = this->shares_of_products(y.batch * cut.products());
        Scalar* const memory = scratch(memory_, this->members() * cut.memory());
        for (integer t = 0; t < y.tasks; ++t) {
            const Scalar* const packed = direct::packed(weights, t, cut.terms, cut.filters);
            this->for_each_part(y.batch, shares, [&](integer b, integer member) {
                cut.for_each(t, b, memory + member * cut.memory(), [&](const strip& s, image<const Scalar> padded) {
                    correlate_pixels({s.data, 1, s.rows, s.width, s.filters}, padded, packed, cut.vertical(s).with_zeros_before(),
                                     cut.over.horizontal.with_zeros_before(), false);
                    f(s);
                });
            });
        }
    }

    /// The weights' gradient of a strip, added to those of the image's strips before it.
    static void add_strip(Scalar* dweights, const strip& s, image<const Scalar> padded, const strips& cut, const view<const Scalar>& dy,
                          const view<const Scalar>& y, const view<const std::uint8_t>& argmax, activation<Scalar> follows) {
        const Scalar* const in = dy.at(s.task) + s.result;
        write_inputs_of(
            0, 1, s.data, s.of(dy), s.of(y), s.of(argmax), view<const Scalar>(s.whole()), 0, follows,
            [](auto, integer, integer) { return broadcast(Scalar(0)); },
            [=](auto lane, integer o, integer, const auto& slope) { return Eigen::internal::pmul(slope, lane.get(in + o)); });
        correlate_rows(dweights, padded, {s.data, 1, s.rows, s.width, s.filters}, s.filters, cut.vertical(s), cut.over.horizontal,
                       !s.is_first);
    }

    static constexpr integer strip_bytes = integer{1} << 14;
    aligned_vector<Scalar> memory_, sums_;
    patch_moments_of<Scalar> patches_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
