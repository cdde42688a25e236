// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/pooling_window.hpp>
#include <bilevel/backend/cpu/vectorise.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The passes over images that `cpu_batch_norm` is made of: over all elements, over windows, over the elements that a result comes from; and sums by
/// channel, over fixed blocks of positions, whose sums are then added.
template <class Scalar> class batch_norm_passes {
protected:
    static constexpr integer largest_tile = 32;  // channels
    static constexpr integer block = 128;  // positions whose terms are added before they are added to the sums of the others

    static void add(Scalar* to, const Scalar* from, integer channels) {
        BILEVEL_INDEPENDENT_ITERATIONS
        for (integer q = 0; q < channels; ++q) to[q] += from[q];
    }

    /// f(element, channel) for every element of one task.
    template <class F> static void for_each_position(const view<Scalar>& y, F f) {
        const integer channels = y.extents[2];
        for (integer i = 0; i < y.batch * y.size; i += channels) {
            BILEVEL_INDEPENDENT_ITERATIONS
            for (integer q = 0; q < channels; ++q) f(i + q, q);
        }
    }
    /// f(offset of a pooled pixel, offsets of its window in the image, channels) for every pooled pixel of one task, one after the other.
    template <class Y, class F> static void for_each_window(const view<Y>& y, const view<const Scalar>& x, F f) {
        const integer channels = x.extents[2], row = x.extents[1] * channels;
        integer to = 0;
        for (integer b = 0; b < y.batch; ++b)
            for (integer i = 0; i < y.extents[0]; ++i)
                for (integer j = 0; j < y.extents[1]; ++j, to += channels)
                    f(to, pooling_window{b * x.size + 2 * i * row + 2 * j * channels, channels, row}, channels);
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
        const integer channels = x.extents[2], row = x.extents[1] * channels, width = outputs.extents[1], height = outputs.extents[0];
        const Scalar* const sign = sign_of(y, x, t, follows);
        const Scalar below = follows.slope, above = Scalar(1);
        const std::uint8_t* const position = argmax.at(t);
        integer j = first % width, i = first / width % height, b = first / (width * height);
        for (integer n = first; n < first + count; ++n) {
            const integer to = n * channels, corner = b * x.size + 2 * i * row + 2 * j * channels;
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
            if (++j < width) continue;
            j = 0;
            if (++i < height) continue;
            i = 0;
            ++b;
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
            if (integer(partial_.size()) < 2 * channels) partial_.resize(static_cast<std::size_t>(2 * channels));
            Scalar *const one = partial_.data(), *const two = one + channels;
            for (integer first = 0; first < positions; first += block) {
                std::fill_n(one, 2 * channels, Scalar(0));
                visit_pooled(outputs, y, argmax, x, t, follows, first, std::min(block, positions - first),
                             [=](integer o, integer q, auto get, Scalar slope) { f(o, q, get, slope, one[q], two[q]); });
                add(first_sum, one, channels);
                add(second_sum, two, channels);
            }
            return;
        }
        for (integer first = 0; first < positions; first += block)
            for_each_channel_tile(channels, [&](integer tile, auto width) {
                Scalar one[largest_tile] = {}, two[largest_tile] = {};
                visit_unpooled(y, x, t, follows, first, std::min(block, positions - first), tile, width,
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
            for (integer i = 0; i < x.batch * x.size; i += channels) {
                BILEVEL_INDEPENDENT_ITERATIONS
                for (integer q = 0; q < channels; ++q)
                    dx[i + q] = chosen(i + q, q, sign[i + q] > Scalar(0) ? Scalar(1) : below) + rest(i + q, q);
            }
            return;
        }
        const std::uint8_t* const position = argmax.at(t);
        for_each_window(outputs, x, [=](integer to, const pooling_window& at, integer width) {
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

    /// f(first channel, width): tiles of channels whose sums stay in registers; the width is a constant for all but the last.
    template <class F> static void for_each_channel_tile(integer channels, F f) {
        integer first = 0;
        for (; first + largest_tile <= channels; first += largest_tile) f(first, std::integral_constant<integer, largest_tile>{});
        if (first < channels) f(first, channels - first);
    }

    /// sums[q] = Σ term(element, channel) over the positions.
    template <class Term> static void sum_positions(Scalar* sums, integer positions, integer channels, Term term) {
        for_each_channel_tile(channels, [=](integer tile, auto width) {
            Scalar partial[largest_tile] = {};
            for (integer i = tile; i < tile + positions * channels; i += channels)
                for (integer q = 0; q < width; ++q) partial[q] += term(i + q, tile + q);
            for (integer q = 0; q < width; ++q) sums[tile + q] = partial[q];
        });
    }

    aligned_vector<Scalar> partial_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
