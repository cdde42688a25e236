// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/backend/cpu/packet.hpp>
#include <bilevel/backend/cpu/pooled_maximum.hpp>
#include <bilevel/backend/cpu/pooling_window.hpp>
#include <bilevel/backend/cpu/raster.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
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
/// positions, and over all elements that have an adjoint. Threads share the images, or the blocks.
template <class Scalar> class batch_norm_passes : public virtual shared_among_threads {
protected:
    static void add(Scalar* to, const Scalar* from, integer channels) {
        BILEVEL_INDEPENDENT_ITERATIONS
        for (integer q = 0; q < channels; ++q) to[q] += from[q];
    }

    /// f(output element, channel, get, slope) for every output element: get(plane) is the element of an image's plane that it comes from, slope the derivative
    /// of the activation there.
    template <class Y, class F>
    void for_each_chosen(const view<Y>& outputs, const view<const Scalar>& y, const view<const std::uint8_t>& argmax,
                         const view<const Scalar>& x, integer t, activation<Scalar> follows, F f) const {
        const integer positions = outputs.batch * outputs.extents[0] * outputs.extents[1];
        this->for_each_stretch(positions, this->shares(positions * x.extents[2]),
                               [=](integer first, integer end) { visit_chosen(outputs, y, argmax, x, t, follows, first, end - first, f); });
    }
    // The output positions first … first + count − 1.
    template <class Y, class F>
    static void visit_chosen(const view<Y>& outputs, const view<const Scalar>& y, const view<const std::uint8_t>& argmax,
                             const view<const Scalar>& x, integer t, activation<Scalar> follows, integer first, integer count, F f) {
        if (argmax.size > 0) {
            visit_pooled(outputs, y, argmax, x, t, follows, first, count, f);
        } else {
            visit_unpooled(y, x, t, follows, first, count, 0, x.extents[2], f);
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

    /// The blocks of positions: f(block, first position, positions).
    template <class F> void for_each_block(integer positions, integer channels, F f) const {
        const integer blocks = blocks_of(positions);
        this->for_each_stretch(blocks, this->shares(positions * channels), [=](integer begin, integer end) {
            for (integer i = begin; i < end; ++i)
                f(i, i * by_channel::block, std::min(by_channel::block, positions - i * by_channel::block));
        });
    }
    static integer blocks_of(integer positions) { return (positions + by_channel::block - 1) / by_channel::block; }

    /// Two sums a channel, over the blocks in their order: f(sums of the block, the other ones, first position, positions).
    template <class F> void sum_blocks(Scalar* first_sum, Scalar* second_sum, integer positions, integer channels, F f) {
        const integer blocks = blocks_of(positions);
        Scalar* const sums = scratch(partial_, 2 * blocks * channels);
        for_each_block(positions, channels, [=](integer block, integer first, integer count) {
            f(sums + 2 * block * channels, sums + (2 * block + 1) * channels, first, count);
        });
        std::fill_n(first_sum, channels, Scalar(0));
        std::fill_n(second_sum, channels, Scalar(0));
        for (integer block = 0; block < blocks; ++block) {
            add(first_sum, sums + 2 * block * channels, channels);
            add(second_sum, sums + (2 * block + 1) * channels, channels);
        }
    }

    /// Two sums a channel over the output elements, in blocks: f(element, channel, get, slope, first sum, second sum).
    template <class F>
    void sum_chosen(Scalar* first_sum, Scalar* second_sum, const view<const Scalar>& outputs, const view<const Scalar>& y,
                    const view<const std::uint8_t>& argmax, const view<const Scalar>& x, integer t, activation<Scalar> follows, F f) {
        const integer channels = x.extents[2], positions = outputs.batch * outputs.extents[0] * outputs.extents[1];
        sum_blocks(
            first_sum, second_sum, positions, channels, [&](Scalar* first_of_block, Scalar* second_of_block, integer first, integer count) {
                if (argmax.size > 0) {  // a tile would not gain: the choice among four pixels costs more than reading and writing the sums
                    std::fill_n(first_of_block, channels, Scalar(0));
                    std::fill_n(second_of_block, channels, Scalar(0));
                    visit_pooled(outputs, y, argmax, x, t, follows, first, count, [=](integer o, integer q, auto get, Scalar slope) {
                        f(o, q, get, slope, first_of_block[q], second_of_block[q]);
                    });
                    return;
                }
                by_channel::for_each_tile(channels, [&](integer tile, auto width) {
                    Scalar one[by_channel::largest_tile] = {}, two[by_channel::largest_tile] = {};
                    visit_unpooled(y, x, t, follows, first, count, tile, width,
                                   [&one, &two, tile, f](integer o, integer q, auto get, Scalar slope) {
                                       f(o, q, get, slope, one[q - tile], two[q - tile]);
                                   });
                    std::copy_n(one, integer(width), first_of_block + tile);
                    std::copy_n(two, integer(width), second_of_block + tile);
                });
            });
    }
    /// Every element of an image: rest(lanes, element, channel), and where an output comes from chosen(lanes, output element, channel, slope) as well; all in
    /// vectors.
    template <class Rest, class Chosen>
    void write_inputs(Scalar* dx, const view<const Scalar>& outputs, const view<const Scalar>& y, const view<const std::uint8_t>& argmax,
                      const view<const Scalar>& x, integer t, activation<Scalar> follows, Rest rest, Chosen chosen) const {
        this->for_each_stretch(x.batch, this->shares(x.batch * x.size), [=](integer first, integer end) {
            write_inputs_of(first, end, dx, outputs, y, argmax, x, t, follows, rest, chosen);
        });
    }
    // Of the images first … end − 1.
    template <class Rest, class Chosen>
    static void write_inputs_of(integer first, integer end, Scalar* dx, const view<const Scalar>& outputs, const view<const Scalar>& y,
                                const view<const std::uint8_t>& argmax, const view<const Scalar>& x, integer t, activation<Scalar> follows,
                                Rest rest, Chosen chosen) {
        const integer channels = x.extents[2];
        const Scalar* const sign = sign_of(y, x, t, follows);
        const Scalar below = follows.slope;
        if (argmax.size == 0) {
            for (integer i = first * x.size; i < end * x.size; i += channels)
                for_each_vector<Scalar>(channels, [=](auto lane, integer q) BILEVEL_INLINE_LAMBDA {
                    const auto slope = slope_at(lane.get(sign + i + q), below);
                    lane.put(dx + i + q, Eigen::internal::padd(chosen(lane, i + q, q, slope), rest(lane, i + q, q)));
                });
            return;
        }
        const std::uint8_t* const position = argmax.at(t);
        for_each_pooling_window(first, end, outputs, x, [=](integer output, const pooling_window& at, integer filters) {
            window_positions<Scalar> positions;
            for (integer tile = 0; tile < filters; tile += positions.most) {
                const integer count = std::min(positions.most, filters - tile), to = output + tile;
                positions.load_from(position + to, count);
                for_each_vector<Scalar>(count, [&, tile, to](auto lane, integer q) BILEVEL_INLINE_LAMBDA {
                    const auto here = chosen(lane, to + q, tile + q, slope_at(lane.get(sign + to + q), below));
                    unrolled<4>([&](auto k) BILEVEL_INLINE_LAMBDA {
                        const integer i = at[int(k)] + tile + q;
                        lane.put(dx + i, Eigen::internal::padd(positions.only(Scalar(integer(k)), q, here), rest(lane, i, tile + q)));
                    });
                });
            }
        });
        // The last row and column of an image of odd extents are in no window.
        const auto write_rest = [=](integer i) {
            for_each_vector<Scalar>(channels,
                                    [=](auto lane, integer q) BILEVEL_INLINE_LAMBDA { lane.put(dx + i + q, rest(lane, i + q, q)); });
        };
        const integer height = x.extents[0], width = x.extents[1];
        for (integer b = first; b < end; ++b) {
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
