// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cpu/convolution_axis.hpp>
#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/padded_images.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/cpu/tiled_products.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolution by its definition, of any kernel, stride and padding, in register tiles that read the images where they lie. Two ways to fill a tile:
///  over the image:   its rows are pixels side by side, of images that are copied with their padding, a few at a time;
///  across images:    its rows are pixels of several images that the padding leaves the same taps, and the terms are those taps; for images so small that
///                    many pixels lie at the border.
template <class Scalar> class direct_convolution {
public:
    void forward(const shared_among_threads& threads, view<Scalar> y, view<const Scalar> x, view<const Scalar> w,
                 convolution_geometry geometry, bool across_images, bool accumulate) {
        const integer channels = x.extents[2], filters = y.extents[2], rows = w.extents[0] * w.extents[1] * channels;
        const convolution_axis vertical{y.extents[0], geometry.stride, -geometry.padding, w.extents[0], 0, 1},
            horizontal{y.extents[1], geometry.stride, -geometry.padding, w.extents[1], 0, 1};
        for (integer t = 0; t < y.tasks; ++t)
            correlate(threads, image_of(y, t), image_of(x, t), packed(w, t, rows, filters), vertical, horizontal, across_images,
                      accumulate);
    }

    /// The pixels of dx whose rows and columns leave the same remainders by the stride form an image that is a convolution of dy, stride 1, with the taps
    /// that reach them.
    void backward_data(const shared_among_threads& threads, view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w,
                       convolution_geometry geometry, bool across_images, bool accumulate) {
        const integer channels = dx.extents[2], filters = dy.extents[2];
        for (integer a = 0; a < std::min(geometry.stride, dx.extents[0]); ++a)
            for (integer b = 0; b < std::min(geometry.stride, dx.extents[1]); ++b) {
                const reaching_taps up(geometry, a, w.extents[0]), across(geometry, b, w.extents[1]);
                const convolution_axis vertical = up.over(dx.extents[0], a, geometry.stride),
                                       horizontal = across.over(dx.extents[1], b, geometry.stride);
                const integer rows = up.count * across.count * filters;
                Scalar* const packed = scratch(packed_, rows * packed_columns<Scalar>(channels));
                for (integer t = 0; t < dx.tasks; ++t) {
                    integer row = 0;
                    for (integer u = up.last; u >= 0 && (t == 0 || w.stride != 0); u -= geometry.stride)
                        for (integer v = across.last; v >= 0; v -= geometry.stride, row += filters)
                            pack_transposed(packed, rows, row, w.at(t) + (u * w.extents[1] + v) * channels * filters, filters, channels);
                    correlate(threads, image_of(dx, t), image_of(dy, t), packed, vertical, horizontal, across_images, accumulate);
                }
            }
    }

    void backward_weights(const shared_among_threads& threads, view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy,
                          convolution_geometry geometry, bool across_images, bool accumulate) {
        const convolution_axis vertical{dy.extents[0], geometry.stride, -geometry.padding, dw.extents[0], 0, 1},
            horizontal{dy.extents[1], geometry.stride, -geometry.padding, dw.extents[1], 0, 1};
        for (integer t = 0; t < dw.tasks; ++t) {
            const image<const Scalar> in = image_of(x, t), out = image_of(dy, t);
            const integer shares = threads.shares_of_products(in.count * dy.size * vertical.taps * horizontal.taps * in.channels);
            if (across_images) {
                correlate_taps(threads, shares, dw.at(t), in, out, vertical, horizontal, accumulate);
            } else {
                correlate_blocks(threads, shares, dw.at(t), in, out.channels % lanes<Scalar> == 0 ? out : with_whole_vectors(out),
                                 out.channels, vertical, horizontal, accumulate);
            }
        }
    }

protected:
    template <class T> using image = images_of_task<T>;
    using image_blocks = padded_blocks<Scalar>;
    template <class T> static image<T> image_of(const view<T>& v, integer t) {
        return {v.at(t), v.batch, v.extents[0], v.extents[1], v.extents[2]};
    }

    /// The weights of a task in the order in which tiles read them; those that all tasks share are packed for the first.
    const Scalar* packed(const view<const Scalar>& w, integer t, integer rows, integer filters) {
        if (is_packed<Scalar>(filters)) return w.at(t);
        Scalar* const to = scratch(packed_, rows * packed_columns<Scalar>(filters));
        if (t == 0 || w.stride != 0) pack(to, w.at(t), rows, filters);
        return to;
    }

    /// Threads share the images.
    void correlate(const shared_among_threads& threads, image<Scalar> out, image<const Scalar> in, const Scalar* packed,
                   const convolution_axis& vertical, const convolution_axis& horizontal, bool across_images, bool accumulate) {
        const integer shares = threads.shares_of_products(in.count * vertical.pixels * horizontal.pixels * vertical.taps * horizontal.taps *
                                                          in.channels * out.channels);
        if (across_images) {
            const integer step = images_at_once(in.size());
            threads.for_each_stretch(in.count, shares, [=](integer first, integer end) {
                for (integer n = first; n < end; n += step)
                    correlate_pixels(out.part(n, std::min(n + step, end)), in.part(n, std::min(n + step, end)), packed, vertical,
                                     horizontal, accumulate);
            });
            return;
        }
        const image_blocks blocks(in, vertical, horizontal, (in.count + shares - 1) / shares);
        Scalar* const memory = scratch(padded_, threads.members() * blocks.memory());
        threads.for_each_part(blocks.count, shares, [&](integer block, integer member) {
            correlate_pixels(out.from(blocks.first(block)), blocks.with_zeros(block, memory + member * blocks.memory()), packed,
                             vertical.with_zeros_before(), horizontal.with_zeros_before(), accumulate);
        });
    }

    /// How many stay in the second cache while each block of columns reads them; many are whole tiles.
    static integer images_at_once(integer size) {
        const integer step = std::max(2 * image_blocks::bytes / std::max(size * integer(sizeof(Scalar)), integer{1}), integer{1});
        return step < 24 ? step : step / 24 * 24;
    }

    /// Of each pixel the taps that fall into its image. The pixels of which these are the same ones, of all images, fill tiles together.
    static void correlate_pixels(image<Scalar> out, image<const Scalar> in, const Scalar* packed, const convolution_axis& vertical,
                                 const convolution_axis& horizontal, bool accumulate) {
        const integer rows = vertical.taps * horizontal.taps * in.channels;
        // Sums of few terms take less time than to find out where they lie: then a tile's pixels are used for all columns.
        constexpr integer widest = widest_tile * lanes<Scalar>;
        const bool all_columns = out.channels % widest == 0 && rows * out.channels * integer(sizeof(Scalar)) <= few_weights_bytes;
        for_each_column_block<Scalar>(all_columns ? widest : out.channels, [&](auto vectors, integer first_column, integer columns) {
            constexpr integer height = tile_rows<decltype(vectors)::value>, width = decltype(vectors)::value * lanes<Scalar>;
            const integer blocks = all_columns ? out.channels / width : 1;
            const auto place = [&](integer i, integer j) {
                return (vertical.place + i * vertical.step) * out.row() + (horizontal.place + j * horizontal.step) * out.channels +
                       first_column;
            };
            for (integer i = 0, end_i = 0; i < vertical.pixels; i = end_i) {
                end_i = vertical.end_of_same_taps(i, in.height);
                for (integer j = 0, end_j = 0; j < horizontal.pixels; j = end_j) {
                    end_j = horizontal.end_of_same_taps(j, in.width);
                    const integer u = vertical.first_tap(i), v = horizontal.first_tap(j);
                    const product_terms terms{vertical.end_tap(i, in.height) - u, (horizontal.end_tap(j, in.width) - v) * in.channels,
                                              in.row(), horizontal.taps * in.channels * width};
                    const Scalar* const weights = packed + first_column * rows + (u * horizontal.taps + v) * in.channels * width;
                    // Where no tap falls into the image, the pixel that would be read lies outside it too: then there are no terms.
                    const bool any = terms.runs > 0 && terms.depth > 0;
                    const integer pixel = any ? (i * vertical.stride + vertical.start + u) * in.row() +
                                                    (j * horizontal.stride + horizontal.start + v) * in.channels
                                              : 0;
                    // From pixel to pixel and from row to row in what is read.
                    const integer across = any ? horizontal.stride * in.channels : 0, down = any ? vertical.stride * in.row() : 0;
                    const auto tiles = [](integer pixels) { return (pixels + height - 1) / height; };
                    if (const integer pixels = (end_i - i) * (end_j - j);
                        blocks == 1 && pixels * tiles(in.count) <= tiles(pixels * in.count)) {
                        // One pixel of all images at a time fills tiles as well, and its rows are of equal distance.
                        for (integer y = i; y < end_i; ++y)
                            for (integer x = j; x < end_j; ++x)
                                multiply_rows<decltype(vectors)::value>(out.data + place(y, x), out.size(),
                                                                        in.data + pixel + (y - i) * down + (x - j) * across, in.size(),
                                                                        in.count, terms, weights, columns, accumulate);
                        continue;
                    }
                    const Scalar* from[height];
                    Scalar* to[height];
                    integer waiting = 0;
                    const auto multiply = [&](integer here) {
                        std::fill(from + here, from + height, from[0]);
                        multiply_tile<decltype(vectors)::value>(to, from, terms, weights, rows * width, here, columns, blocks, accumulate);
                    };
                    for (integer n = 0; n < in.count; ++n)
                        for (integer y = i; y < end_i; ++y) {
                            const Scalar* next = in.data + n * in.size() + pixel + (y - i) * down;
                            Scalar* next_to = out.data + n * out.size() + place(y, j);
                            for (integer x = j; x < end_j; ++x, next += across, next_to += horizontal.step * out.channels) {
                                from[waiting] = next;
                                to[waiting] = next_to;
                                if (++waiting < height) continue;
                                multiply(height);
                                waiting = 0;
                            }
                        }
                    if (waiting > 0) multiply(waiting);
                }
            }
        });
    }

    /// Every element of dw is a sum over all pixels; a tile takes several elements of a patch, wherever in the patch they lie.
    static void correlate_rows(Scalar* dw, image<const Scalar> in, image<const Scalar> out, integer filters,
                               const convolution_axis& vertical, const convolution_axis& horizontal, bool accumulate) {
        const integer run = horizontal.taps * in.channels, rows = vertical.taps * run;
        const product_positions at{
            in.count,   vertical.pixels, horizontal.pixels, in.size(), vertical.stride * in.row(), horizontal.stride * in.channels,
            out.size(), out.row(),       out.channels};
        correlate_matrix(
            dw, filters, in.data, out.data, at, rows, filters, [&](integer row) { return row / run * in.row() + row % run; }, accumulate);
    }

    /// Blocks of images one after the other, or by several threads each on its own and added up in the same order.
    void correlate_blocks(const shared_among_threads& threads, integer shares, Scalar* dw, image<const Scalar> in, image<const Scalar> out,
                          integer filters, const convolution_axis& vertical, const convolution_axis& horizontal, bool accumulate) {
        const image_blocks blocks(in, vertical, horizontal, in.count);
        const integer size = vertical.taps * horizontal.taps * in.channels * filters;
        Scalar* const memory = scratch(padded_, threads.members() * blocks.memory());
        Scalar* const sums = shares == 1 ? nullptr : scratch(sums_, threads.slots(shares) * size);
        threads.for_each_part_in_order(
            blocks.count, shares,
            [&](integer block, integer member, integer slot) {
                correlate_rows(sums ? sums + slot * size : dw, blocks.with_zeros(block, memory + member * blocks.memory()),
                               out.from(blocks.first(block)), filters, vertical, horizontal, !sums && (accumulate || block > 0));
            },
            [&](integer block, integer slot) {
                for (integer i = 0; sums && i < size; ++i)
                    dw[i] = accumulate || block > 0 ? dw[i] + sums[slot * size + i] : sums[slot * size + i];
            });
    }

    /// Threads share the taps. A few images at a time, which are packed as tiles read them and stay in the second cache for all taps: where they lie, pixels a
    /// stride apart meet in few sets of the first cache, and of each a tile reads a part of a line. The pixels of a tap are listed, so that a tile's sum is one
    /// loop, however small the images are. Each thread packs for itself, which takes less than to wait for the others.
    void correlate_taps(const shared_among_threads& threads, integer shares, Scalar* dw, image<const Scalar> in, image<const Scalar> out,
                        const convolution_axis& vertical, const convolution_axis& horizontal, bool accumulate) {
        const integer pixels = out.height * out.width, taps = vertical.taps * horizontal.taps;
        const integer step = images_together(in.count, pixels, in.size() + out.size(), taps * in.channels * out.channels);
        // A tile reads as many channels as it has rows, which the last pixel may not have.
        const integer left_size = step * in.size() + panel, right_size = step * pixels * packed_columns<Scalar>(out.channels);
        Scalar* const packed = scratch(packed_, threads.members() * (left_size + right_size));
        position_pair* const lists = scratch(positions_, threads.members() * step * pixels);
        const integer stretches = std::min(shares, taps);
        threads.for_each_part(stretches, stretches, [=](integer part, integer member) {
            Scalar *const left = packed + member * (left_size + right_size), *const right = left + left_size;
            position_pair* const list = lists + member * step * pixels;
            for (integer first = 0; first < in.count; first += step) {
                const integer images = std::min(step, in.count - first);
                pack_panels(left, in.from(first).data, images * in.height * in.width, in.channels);
                pack(right, out.from(first).data, images * pixels, out.channels);
                for (integer tap = taps * part / stretches; tap < taps * (part + 1) / stretches; ++tap) {
                    const integer u = tap / horizontal.taps, v = tap % horizontal.taps;
                    const integer count = list_pixels(list, images, in, out, vertical, u, horizontal, v);
                    correlate_listed(dw + tap * in.channels * out.channels, left, images * in.height * in.width, right, images * pixels,
                                     list, count, in.channels, out.channels, accumulate || first > 0);
                }
            }
        });
    }

    /// In blocks of nearly equal size: so few that what a tile reads of a block's pixels stays in the first cache, and the images, of so many elements each, in the
    /// second; or that they take as much as the sums to which a block adds, where these do not.
    static integer images_together(integer images, integer pixels, integer size, integer sums) {
        const integer most = std::max(image_blocks::bytes / integer(sizeof(Scalar)), sums) / std::max(size, integer{1});
        const integer step = std::clamp(std::min(listed_pixels / std::max(pixels, integer{1}), most), integer{1}, images);
        const integer blocks = (images + step - 1) / step;
        return (images + blocks - 1) / blocks;
    }

    /// The pixels whose tap (u, v) falls into their image, those of the input by the ones that the tap reads; how many there are.
    static integer list_pixels(position_pair* list, integer images, const image<const Scalar>& in, const image<const Scalar>& out,
                               const convolution_axis& vertical, integer u, const convolution_axis& horizontal, integer v) {
        const integer end_row = vertical.end_pixel(u, in.height), end_column = horizontal.end_pixel(v, in.width);
        integer count = 0;
        for (integer n = 0; n < images; ++n)
            for (integer i = vertical.first_pixel(u); i < end_row; ++i)
                for (integer j = horizontal.first_pixel(v); j < end_column; ++j)
                    list[count++] = {(n * in.height + i * vertical.stride + vertical.start + u) * in.width + j * horizontal.stride +
                                         horizontal.start + v,
                                     (n * out.height + i) * out.width + j};
        return count;
    }

    image<const Scalar> with_whole_vectors(image<const Scalar> in) {
        const integer channels = packed_columns<Scalar>(in.channels), pixels = in.count * in.height * in.width;
        Scalar* const to = scratch(whole_, pixels * channels);
        copy_to_whole_vectors(to, in.data, pixels, in.channels, in.channels);
        return {to, in.count, in.height, in.width, channels};
    }

    static constexpr integer few_weights_bytes = integer{1} << 14, listed_pixels = 150;
    aligned_vector<Scalar> packed_, padded_, whole_, sums_;
    aligned_vector<position_pair> positions_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
