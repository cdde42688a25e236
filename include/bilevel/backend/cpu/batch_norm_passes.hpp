// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/backend/cpu/pooling_window.hpp>
#include <bilevel/backend/cpu/raster.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/vectorise.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The passes over images that `cpu_batch_norm` is made of: over the elements that a result comes from, with sums of them by channel over fixed blocks of
/// positions, and over all elements that have an adjoint.
template <class Scalar> class batch_norm_passes {
protected:
    static void add(Scalar* to, const Scalar* from, integer channels) {
        BILEVEL_INDEPENDENT_ITERATIONS
        for (integer q = 0; q < channels; ++q) to[q] += from[q];
    }

    /// f(output element, channel, get, slope) for every output element: get(plane) is the element of an image's plane that it comes from, slope the derivative
    /// of the activation there.
    template <class Y, class F>
    static void for_each_chosen(const view<Y>& outputs, const view<const Scalar>& y, const view<const std::uint8_t>& argmax,
                                const view<const Scalar>& x, integer t, activation<Scalar> follows, F f) {
        const integer positions = outputs.batch * outputs.extents[0] * outputs.extents[1];
        if (argmax.size > 0) {
            visit_pooled(outputs, y, argmax, x, t, follows, 0, positions, f);
        } else {
            visit_unpooled(y, x, t, follows, 0, positions, 0, x.extents[2], f);
        }
    }
    // What is not read has to be readable.
    static const Scalar* sign_of(const view<const Scalar>& y, const view<const Scalar>& x, integer t, activation<Scalar> follows) {
        return follows.is_linear() ? x.at(t) : y.at(t);
    }
    // The pixels first … first + count − 1, and of them the channels tile … tile + width − 1.
    template <class Width, class F>
    static void visit_unpooled(const view<const Scalar>& y, const view<const Scalar>& x, integer t, activation<Scalar> follows,
                               integer first, integer count, integer tile, Width width, F f) {
        const integer channels = x.extents[2];
        const Scalar* const sign = sign_of(y, x, t, follows);
        const Scalar below = follows.slope, above = Scalar(1);
        for (integer i = first * channels + tile; i < (first + count) * channels; i += channels)
            for (integer q = 0; q < width; ++q) {
                const integer o = i + q;
                const auto get = [o](const Scalar* plane) { return plane[o]; };
                f(o, tile + q, get, sign[o] > Scalar(0) ? above : below);
            }
    }
    // The pooled pixels first … first + count − 1.
    template <class Y, class F>
    static void visit_pooled(const view<Y>& outputs, const view<const Scalar>& y, const view<const std::uint8_t>& argmax,
                             const view<const Scalar>& x, integer t, activation<Scalar> follows, integer first, integer count, F f) {
        const integer channels = x.extents[2], row = x.extents[1] * channels;
        const Scalar* const sign = sign_of(y, x, t, follows);
        const Scalar below = follows.slope, above = Scalar(1);
        const std::uint8_t* const position = argmax.at(t);
        raster pixel(outputs.extents[0], outputs.extents[1], first);
        for (integer n = first; n < first + count; ++n, pixel.next()) {
            const integer to = n * channels, corner = pixel.image * x.size + 2 * pixel.row * row + 2 * pixel.column * channels;
            BILEVEL_INDEPENDENT_ITERATIONS
            for (integer q = 0; q < channels; ++q) {
                const int k = position[to + q];
                const auto get = [=](const Scalar* plane) {
                    const Scalar* const in = plane + corner + q;
                    const Scalar top = k == 0 ? in[0] : in[channels], bottom = k == 2 ? in[row] : in[row + channels];
                    return k < 2 ? top : bottom;
                };
                f(to + q, q, get, sign[to + q] > Scalar(0) ? above : below);
            }
        }
    }

    /// Two sums a channel over the output elements, in blocks: f(element, channel, get, slope, first sum, second sum).
    template <class F>
    void sum_chosen(Scalar* first_sum, Scalar* second_sum, const view<const Scalar>& outputs, const view<const Scalar>& y,
                    const view<const std::uint8_t>& argmax, const view<const Scalar>& x, integer t, activation<Scalar> follows, F f) {
        const integer channels = x.extents[2], positions = outputs.batch * outputs.extents[0] * outputs.extents[1];
        std::fill_n(first_sum, channels, Scalar(0));
        std::fill_n(second_sum, channels, Scalar(0));
        if (argmax.size > 0) {  // a tile would not gain: the choice among four pixels costs more than reading and writing the sums
            Scalar *const one = scratch(partial_, 2 * channels), *const two = one + channels;
            for (integer first = 0; first < positions; first += by_channel::block) {
                std::fill_n(one, 2 * channels, Scalar(0));
                visit_pooled(outputs, y, argmax, x, t, follows, first, std::min(by_channel::block, positions - first),
                             [=](integer o, integer q, auto get, Scalar slope) { f(o, q, get, slope, one[q], two[q]); });
                add(first_sum, one, channels);
                add(second_sum, two, channels);
            }
            return;
        }
        for (integer first = 0; first < positions; first += by_channel::block)
            by_channel::for_each_tile(channels, [&](integer tile, auto width) {
                Scalar one[by_channel::largest_tile] = {}, two[by_channel::largest_tile] = {};
                visit_unpooled(y, x, t, follows, first, std::min(by_channel::block, positions - first), tile, width,
                               [&one, &two, tile, f](integer o, integer q, auto get, Scalar slope) {
                                   f(o, q, get, slope, one[q - tile], two[q - tile]);
                               });
                for (integer q = 0; q < width; ++q) {
                    first_sum[tile + q] += one[q];
                    second_sum[tile + q] += two[q];
                }
            });
    }
    /// Every element of an image: rest(element, channel), and where an output comes from chosen(output element, channel, slope) as well.
    template <class Rest, class Chosen>
    static void write_inputs(Scalar* dx, const view<const Scalar>& outputs, const view<const Scalar>& y,
                             const view<const std::uint8_t>& argmax, const view<const Scalar>& x, integer t, activation<Scalar> follows,
                             Rest rest, Chosen chosen) {
        const integer channels = x.extents[2];
        const Scalar* const sign = sign_of(y, x, t, follows);
        const Scalar below = follows.slope;
        if (argmax.size == 0) {
            by_channel::for_each(x.batch * x.size / channels, channels,
                                 [=](integer i, integer q) { dx[i] = chosen(i, q, sign[i] > Scalar(0) ? Scalar(1) : below) + rest(i, q); });
            return;
        }
        const std::uint8_t* const position = argmax.at(t);
        for_each_pooling_window(outputs, x, [=](integer to, const pooling_window& at, integer width) {
            const integer in0 = at[0], in1 = at[1], in2 = at[2], in3 = at[3];
            BILEVEL_INDEPENDENT_ITERATIONS
            for (integer q = 0; q < width; ++q) {
                const Scalar here = chosen(to + q, q, sign[to + q] > Scalar(0) ? Scalar(1) : below);
                const int k = position[to + q];
                dx[in0 + q] = (k == 0 ? here : Scalar(0)) + rest(in0 + q, q);
                dx[in1 + q] = (k == 1 ? here : Scalar(0)) + rest(in1 + q, q);
                dx[in2 + q] = (k == 2 ? here : Scalar(0)) + rest(in2 + q, q);
                dx[in3 + q] = (k == 3 ? here : Scalar(0)) + rest(in3 + q, q);
            }
        });
        // The last row and column of an image of odd extents are in no window.
        const auto write_rest = [=](integer i) {
            BILEVEL_INDEPENDENT_ITERATIONS
            for (integer q = 0; q < channels; ++q) dx[i + q] = rest(i + q, q);
        };
        const integer height = x.extents[0], width = x.extents[1];
        for (integer b = 0; b < x.batch; ++b) {
            if (height % 2 != 0)
                for (integer j = 0; j < width; ++j) write_rest(b * x.size + ((height - 1) * width + j) * channels);
            if (width % 2 != 0)
                for (integer i = 0; i < height; ++i) write_rest(b * x.size + (i * width + width - 1) * channels);
        }
    }

    aligned_vector<Scalar> partial_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
