// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/winograd_tiles.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The transforms of F(2×2, 3×3), whole vectors of channels at a time: tiles of images to and from 16 planes, one for each position of the transformed tile,
/// and weights to and from 16 matrices; see `winograd`.
template <class Scalar> class winograd_transforms {
protected:
    static constexpr integer gap =
        64 / integer(sizeof(Scalar));  // between the planes, so that they do not fall into the same sets of a cache

    /// Elements from one of the 16 matrices to the next.
    static integer matrix(integer channels, integer filters) { return channels * filters + gap; }

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

    // G w Gᵀ of some channels, each of the 16 matrices packed.    // w (3,3,channels,filters)
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

private:
    using vector = packet<Scalar>;

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
    BILEVEL_INLINE static void write(Scalar* to, const vector& v, bool accumulate) { store(to, accumulate ? sum(load(to), v) : v); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
