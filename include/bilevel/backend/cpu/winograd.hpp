// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/rectangles.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/cpu/tiled_products.hpp>
#include <bilevel/backend/cpu/winograd_tiles.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolution with 3 × 3 kernels, stride 1 and padding 1, in tiles of 2 × 2 pixels by the minimal filtering of Winograd, F(2×2, 3×3) [Lavin16]: 16 products
/// a tile and channel pair where the definition has 36,
///     y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ x B) ] A,      dw = Gᵀ [ Σ_tiles (Bᵀ x B) ⊙ (A dy Aᵀ) ] G,
/// summed over channels, or tiles, by 16 matrix products, one for each position of the transformed 4 × 4 tile. The tiles of all images of a task form one
/// sequence, worked through in blocks that stay in the second cache. Channels and filters must be whole vectors.
template <class Scalar> class winograd {
public:
    static bool takes(integer channels, integer filters) { return channels % lanes<Scalar> == 0 && filters % lanes<Scalar> == 0; }

    void forward(const shared_among_threads& threads, view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        const integer channels = x.extents[2], filters = y.extents[2];
        for (integer t = 0; t < y.tasks; ++t) {
            if (t == 0 || w.stride != 0) transform_weights(threads, w.at(t), channels, filters);
            correlate(threads, y, x, t, channels, filters, accumulate);
        }
    }

    /// The convolution of dy with the kernel turned by 180° and transposed.
    void backward_data(const shared_among_threads& threads, view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        const integer channels = dx.extents[2], filters = dy.extents[2];
        Scalar* const turned = scratch(turned_, 9 * channels * filters);
        for (integer t = 0; t < dx.tasks; ++t) {
            if (t == 0 || w.stride != 0) {
                threads.for_each_part(9, threads.shares(9 * channels * filters), [=, from = w.at(t)](integer k, integer) {
                    transpose(turned + k * channels * filters, channels, from + (8 - k) * channels * filters, filters, channels, filters);
                });
                transform_weights(threads, turned, filters, channels);
            }
            correlate(threads, dx, dy, t, filters, channels, accumulate);
        }
    }

    /// Threads share dw: each sums a rectangle of channels and filters over all tiles, in the same order whatever the rectangle.
    void backward_weights(const shared_among_threads& threads, view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy,
                          bool accumulate) {
        const integer channels = x.extents[2], filters = dy.extents[2];
        const winograd_tiles all(x);
        const integer most = tiles_of_a_block(channels, filters, all.count());
        const rectangles cut(channels, lanes<Scalar>, filters, widest_tile * lanes<Scalar>,
                             threads.shares_of_products(16 * all.count() * channels * filters));
        const integer left_plane = most * cut.most_rows() + gap, right_plane = most * cut.most_columns() + gap;
        Scalar *const left_planes = scratch(left_, threads.members() * 16 * left_plane),
                      *const right_planes = scratch(right_, threads.members() * 16 * right_plane),
                      *const sums = scratch(sums_, 16 * matrix(channels, filters));
        const Scalar* const zeros = scratch(zeros_, channels);
        for (integer t = 0; t < dw.tasks; ++t)
            threads.for_each_part(cut.count(), cut.count(), [&](integer part, integer member) {
                const auto [first_channel, end_channel, first_filter, end_filter] = cut[part];
                const integer rows = end_channel - first_channel, columns = end_filter - first_filter;
                Scalar *const left = left_planes + member * 16 * left_plane, *const right = right_planes + member * 16 * right_plane;
                for (integer first = 0; first < all.count(); first += most) {
                    const integer here = std::min(most, all.count() - first);
                    transform_inputs(left, left_plane, x.at(t) + first_channel, zeros, all, first, here, channels, rows);
                    transform_adjoints(right, right_plane, dy.at(t) + first_filter, all, first, here, filters, columns);
                    for (integer k = 0; k < 16; ++k)
                        correlate_matrix(
                            sums + k * matrix(channels, filters) + first_channel * filters + first_filter, filters,
                            static_cast<const Scalar*>(left + k * left_plane), static_cast<const Scalar*>(right + k * right_plane),
                            {1, 1, here, 0, 0, rows, 0, 0, columns}, rows, columns, [](integer channel) { return channel; }, first > 0);
                }
                for (integer channel = first_channel; channel < end_channel; ++channel)
                    transform_sums(dw.at(t), sums, channel * filters + first_filter, columns, channels, filters, accumulate);
            });
    }

private:
    using vector = packet<Scalar>;
    static constexpr integer gap =
        64 / integer(sizeof(Scalar));  // between the planes, so that they do not fall into the same sets of a cache
    static constexpr integer block_bytes = integer{1} << (vector_registers == 32 ? 19 : 18);

    /// Elements from one of the 16 matrices to the next.
    static integer matrix(integer channels, integer filters) { return channels * filters + gap; }

    /// Depends on the extents alone; a multiple of the rows of every register tile, unless one block takes all.
    static integer tiles_of_a_block(integer channels, integer filters, integer all) {
        const integer bytes = 16 * (channels + filters) * integer(sizeof(Scalar));
        return std::min(std::clamp(block_bytes / bytes / 24 * 24, integer{24}, integer{96}), all);
    }

    /// Threads share the blocks of tiles.
    void correlate(const shared_among_threads& threads, view<Scalar> y, view<const Scalar> x, integer t, integer channels, integer filters,
                   bool accumulate) {
        const winograd_tiles all(x);
        const integer most = tiles_of_a_block(channels, filters, all.count());
        const integer in_plane = most * channels + gap, out_plane = most * filters + gap;
        Scalar *const ins = scratch(left_, threads.members() * 16 * in_plane), *const outs =
                                                                                   scratch(right_, threads.members() * 16 * out_plane);
        const Scalar *const zeros = scratch(zeros_, channels), *const weights = weights_.data();
        const integer blocks = (all.count() + most - 1) / most, products = 16 * all.count() * channels * filters;
        threads.for_each_part(blocks, threads.shares_of_products(products), [&](integer block, integer member) {
            const integer first = block * most, here = std::min(most, all.count() - first);
            Scalar *const in = ins + member * 16 * in_plane, *const out = outs + member * 16 * out_plane;
            transform_inputs(in, in_plane, x.at(t), zeros, all, first, here, channels, channels);
            for (integer k = 0; k < 16; ++k)
                multiply(out + k * out_plane, in + k * in_plane, weights + k * matrix(channels, filters), here, channels, filters);
            transform_outputs(y.at(t), out, out_plane, all, first, here, filters, accumulate);
        });
    }

    static void multiply(Scalar* out, const Scalar* in, const Scalar* weights, integer count, integer channels, integer filters) {
        for_each_column_block<Scalar>(filters, [&](auto vectors, integer first, integer columns) {
            multiply_rows<decltype(vectors)::value>(out + first, filters, in, channels, count, {1, channels, 0, 0},
                                                    weights + first * channels, columns, false);
        });
    }

    // Bᵀ d B, down the columns and then along the rows.
    template <class Get> BILEVEL_INLINE static void forward_transform(vector (&o)[16], Get get) {
        vector e[16];
        unrolled<4>([&](auto j) BILEVEL_INLINE_LAMBDA {
            const vector d0 = get(j), d1 = get(4 + j), d2 = get(8 + j), d3 = get(12 + j);
            e[j] = difference(d0, d2);
            e[4 + j] = sum(d1, d2);
            e[8 + j] = difference(d2, d1);
            e[12 + j] = difference(d1, d3);
        });
        unrolled<4>([&](auto i) BILEVEL_INLINE_LAMBDA {
            o[4 * i] = difference(e[4 * i], e[4 * i + 2]);
            o[4 * i + 1] = sum(e[4 * i + 1], e[4 * i + 2]);
            o[4 * i + 2] = difference(e[4 * i + 2], e[4 * i + 1]);
            o[4 * i + 3] = difference(e[4 * i + 1], e[4 * i + 3]);
        });
    }
    BILEVEL_INLINE static vector sum(const vector& a, const vector& b) { return Eigen::internal::padd(a, b); }
    BILEVEL_INLINE static vector difference(const vector& a, const vector& b) { return Eigen::internal::psub(a, b); }
    BILEVEL_INLINE static vector half(const vector& a) { return Eigen::internal::pmul(a, broadcast(Scalar(0.5))); }

    // The first `taken` of the channels from x on; as many zeros for the pixels beyond the image.
    static void transform_inputs(Scalar* to, integer plane, const Scalar* x, const Scalar* zeros, const winograd_tiles& all, integer first,
                                 integer count, integer channels, integer taken) {
        all.for_each(first, count, [&](integer t, integer n, integer row, integer column) {
            const Scalar* const image = x + n * all.height * all.width * channels;
            Scalar* const out = to + t * taken;
            const auto write = [&](integer c, auto get) BILEVEL_INLINE_LAMBDA {
                vector o[16];
                forward_transform(o, get);
                unrolled<16>([&](auto k) BILEVEL_INLINE_LAMBDA { store(out + k * plane + c, o[k]); });
            };
            const bool inside = row > 0 && column > 0 && row + 2 < all.height && column + 2 < all.width;
            if (inside) {
                const Scalar* const corner = image + ((row - 1) * all.width + column - 1) * channels;
                const integer down = all.width * channels;
                for (integer c = 0; c < taken; c += lanes<Scalar>)
                    write(c, [&](integer k) BILEVEL_INLINE_LAMBDA { return load(corner + k / 4 * down + k % 4 * channels + c); });
            } else {
                const Scalar* pixel[16];
                for (integer k = 0; k < 16; ++k) {
                    const integer i = row + k / 4 - 1, j = column + k % 4 - 1;
                    const bool exists = i >= 0 && j >= 0 && i < all.height && j < all.width;
                    pixel[k] = exists ? image + (i * all.width + j) * channels : zeros;
                }
                for (integer c = 0; c < taken; c += lanes<Scalar>)
                    write(c, [&](integer k) BILEVEL_INLINE_LAMBDA { return load(pixel[k] + c); });
            }
        });
    }

    // Aᵀ m A, and what of it lies in the image.
    static void transform_outputs(Scalar* y, const Scalar* from, integer plane, const winograd_tiles& all, integer first, integer count,
                                  integer filters, bool accumulate) {
        all.for_each(first, count, [&](integer t, integer n, integer row, integer column) {
            Scalar* const image = y + n * all.height * all.width * filters;
            const bool below = row + 1 < all.height, beside = column + 1 < all.width;
            for (integer c = 0; c < filters; c += lanes<Scalar>) {
                const Scalar* const m = from + t * filters + c;
                vector s[8];
                unrolled<4>([&](auto j) BILEVEL_INLINE_LAMBDA {
                    const vector m0 = load(m + j * plane), m1 = load(m + (4 + j) * plane), m2 = load(m + (8 + j) * plane),
                                 m3 = load(m + (12 + j) * plane);
                    s[j] = sum(sum(m0, m1), m2);
                    s[4 + j] = difference(difference(m1, m2), m3);
                });
                unrolled<2>([&](auto i) BILEVEL_INLINE_LAMBDA {
                    if (i == 1 && !below) return;
                    Scalar* const out = image + ((row + i) * all.width + column) * filters + c;
                    write(out, sum(sum(s[4 * i], s[4 * i + 1]), s[4 * i + 2]), accumulate);
                    if (beside) write(out + filters, difference(difference(s[4 * i + 1], s[4 * i + 2]), s[4 * i + 3]), accumulate);
                });
            }
        });
    }
    BILEVEL_INLINE static void write(Scalar* to, const vector& v, bool accumulate) { store(to, accumulate ? sum(load(to), v) : v); }

    // A dy Aᵀ of the first `taken` of the filters from dy on, with zeros for the pixels beyond the image.
    static void transform_adjoints(Scalar* to, integer plane, const Scalar* dy, const winograd_tiles& all, integer first, integer count,
                                   integer filters, integer taken) {
        all.for_each(first, count, [&](integer t, integer n, integer row, integer column) {
            const Scalar* const corner = dy + ((n * all.height + row) * all.width + column) * filters;
            const bool below = row + 1 < all.height, beside = column + 1 < all.width;
            const vector zero = broadcast(Scalar(0));
            for (integer c = 0; c < taken; c += lanes<Scalar>) {
                const integer down = all.width * filters;
                const vector d00 = load(corner + c), d01 = beside ? load(corner + filters + c) : zero,
                             d10 = below ? load(corner + down + c) : zero, d11 = below && beside ? load(corner + down + filters + c) : zero;
                const vector left[4] = {d00, sum(d00, d10), difference(d00, d10), difference(zero, d10)};
                const vector right[4] = {d01, sum(d01, d11), difference(d01, d11), difference(zero, d11)};
                Scalar* const out = to + t * taken + c;
                unrolled<4>([&](auto i) BILEVEL_INLINE_LAMBDA {
                    store(out + 4 * i * plane, left[i]);
                    store(out + (4 * i + 1) * plane, sum(left[i], right[i]));
                    store(out + (4 * i + 2) * plane, difference(left[i], right[i]));
                    store(out + (4 * i + 3) * plane, difference(zero, right[i]));
                });
            }
        });
    }

    // G w Gᵀ, each of the 16 matrices packed.    // w (3,3,channels,filters)
    void transform_weights(const shared_among_threads& threads, const Scalar* w, integer channels, integer filters) {
        Scalar* const to = scratch(weights_, 16 * matrix(channels, filters));
        threads.for_each_stretch(channels, threads.shares(16 * channels * filters),
                                 [=](integer first, integer end) { transform_rows_of_weights(to, w, first, end, channels, filters); });
    }
    static void transform_rows_of_weights(Scalar* to, const Scalar* w, integer first_channel, integer end_channel, integer channels,
                                          integer filters) {
        const integer tap = channels * filters, plane = matrix(channels, filters);
        for_each_column_block<Scalar>(filters, [&](auto vectors, integer first, integer) {
            constexpr integer width = decltype(vectors)::value * lanes<Scalar>;
            for (integer c = first_channel; c < end_channel; ++c)
                for (integer j = 0; j < width; j += lanes<Scalar>) {
                    const Scalar* const from = w + c * filters + first + j;
                    vector s[12];
                    unrolled<3>([&](auto v) BILEVEL_INLINE_LAMBDA {
                        const vector w0 = load(from + v * tap), w1 = load(from + (3 + v) * tap), w2 = load(from + (6 + v) * tap);
                        const vector ends = sum(w0, w2);
                        s[v] = w0;
                        s[3 + v] = half(sum(ends, w1));
                        s[6 + v] = half(difference(ends, w1));
                        s[9 + v] = w2;
                    });
                    Scalar* const out = to + first * channels + c * width + j;
                    unrolled<4>([&](auto i) BILEVEL_INLINE_LAMBDA {
                        const vector ends = sum(s[3 * i], s[3 * i + 2]);
                        store(out + 4 * i * plane, s[3 * i]);
                        store(out + (4 * i + 1) * plane, half(sum(ends, s[3 * i + 1])));
                        store(out + (4 * i + 2) * plane, half(difference(ends, s[3 * i + 1])));
                        store(out + (4 * i + 3) * plane, s[3 * i + 2]);
                    });
                }
        });
    }

    // Gᵀ s G, of the elements first … first + count − 1 of the matrices.
    static void transform_sums(Scalar* dw, const Scalar* sums, integer first, integer count, integer channels, integer filters,
                               bool accumulate) {
        const integer tap = channels * filters, plane = matrix(channels, filters);
        for (integer e = first; e < first + count; e += lanes<Scalar>) {
            vector s[12];
            unrolled<4>([&](auto j) BILEVEL_INLINE_LAMBDA {
                const vector m0 = load(sums + j * plane + e), m1 = load(sums + (4 + j) * plane + e), m2 = load(sums + (8 + j) * plane + e),
                             m3 = load(sums + (12 + j) * plane + e);
                const vector middle = half(sum(m1, m2));
                s[j] = sum(m0, middle);
                s[4 + j] = half(difference(m1, m2));
                s[8 + j] = sum(middle, m3);
            });
            unrolled<3>([&](auto i) BILEVEL_INLINE_LAMBDA {
                const vector middle = half(sum(s[4 * i + 1], s[4 * i + 2]));
                write(dw + 3 * i * tap + e, sum(s[4 * i], middle), accumulate);
                write(dw + (3 * i + 1) * tap + e, half(difference(s[4 * i + 1], s[4 * i + 2])), accumulate);
                write(dw + (3 * i + 2) * tap + e, sum(middle, s[4 * i + 3]), accumulate);
            });
        }
    }

    aligned_vector<Scalar> weights_, turned_, left_, right_, sums_, zeros_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
