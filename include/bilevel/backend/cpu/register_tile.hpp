// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packet.hpp>

#include <algorithm>

/// Products of small matrices whose sums stay in registers from the first term to the last. Everything that convolutions multiply comes here; what differs
/// is where the rows lie.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Vectors side by side in a tile: as many as leave enough rows to hide the latency of a multiply-add.
inline constexpr integer widest_tile = vector_registers == 32 ? 4 : 2;

/// Rows of a tile that is so many vectors wide: rows × vectors sums, the vectors of one row of weights, and a broadcast element fit the registers.
template <integer Vectors> inline constexpr integer tile_rows = vector_registers == 32 ? (Vectors == 4 ? 6 : 8) : (Vectors == 2 ? 6 : 8);

/// The sums of a tile.
template <integer Vectors, class Scalar> using tile_sums = packet<Scalar>[tile_rows<Vectors>][Vectors];

/// out(p)[j] = sum[p][j], or added to what is there, for p < rows, j < columns.
template <integer Vectors, class Scalar, class Out>
BILEVEL_INLINE void store_tile(Out out, tile_sums<Vectors, Scalar>& sum, integer rows, integer columns, bool accumulate) {
    const auto store_rows = [&](auto vector_of) BILEVEL_INLINE_LAMBDA {
        unrolled<tile_rows<Vectors>>([&](auto p) BILEVEL_INLINE_LAMBDA {
            if (p >= rows) return;
            Scalar* const to = out(p);
            unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA {
                const auto vector = vector_of(j);
                Scalar* const at = to + j * lanes<Scalar>;
                vector.put(at, accumulate ? Eigen::internal::padd(sum[p][j], vector.get(at)) : sum[p][j]);
            });
        });
    };
    if (columns == Vectors * lanes<Scalar>) {
        store_rows([](auto) { return whole_vector<Scalar>{}; });
    } else {
        store_rows([=](auto j) { return part_of_vector<Scalar>{columns - j * lanes<Scalar>}; });
    }
}

/// The terms of a row of products: `runs` stretches of `depth` elements, `pitch` apart in the row; those of their weights are `weights_pitch` apart.
struct product_terms {
    integer runs = 1, depth = 0, pitch = 0, weights_pitch = 0;
};

/// sum[p][j] = Σ_{run, k} in(p)[run · pitch + k] w[run · weights_pitch + k · width + j], for all rows of a tile.
template <integer Vectors, class Scalar, class In>
BILEVEL_INLINE void sum_products(tile_sums<Vectors, Scalar>& sum, In in, const product_terms& terms, const Scalar* weights) {
    constexpr integer height = tile_rows<Vectors>, width = Vectors * lanes<Scalar>;
    decltype(in(0)) row[height];
    unrolled<height>([&](auto p) BILEVEL_INLINE_LAMBDA {
        row[p] = in(p);
        unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[p][j] = broadcast(Scalar(0)); });
    });
    if (terms.runs <= 0 || terms.depth <= 0) return;
    // Loops that run at least once: where they might not, clang at -O2 keeps the sums in memory beside the registers.
    integer run = 0;
    do {
        const Scalar* w = weights + run * terms.weights_pitch;
        integer k = 0;
        do {
            packet<Scalar> factor[Vectors];
            unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { factor[j] = load(w + j * lanes<Scalar>); });
            unrolled<height>([&](auto p) BILEVEL_INLINE_LAMBDA {
                const auto element = broadcast(row[p][k]);
                unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[p][j] = Eigen::internal::pmadd(element, factor[j], sum[p][j]); });
            });
            w += width;
        } while (++k < terms.depth);
        unrolled<height>([&](auto p) BILEVEL_INLINE_LAMBDA { row[p] += terms.pitch; });
    } while (++run < terms.runs);
}

/// out[p][j] = Σ_{run, k} in[p][run · pitch + k] w[run · weights_pitch + k · width + j], or added to what is there, for p < rows, j < columns; and the same of
/// `blocks` blocks of so many columns side by side, whose weights are `block_pitch` apart: what it takes to begin, as long as few terms are, is paid once.
/// All tile_rows pointers of `in` can be read; those of `out` from `rows` on are not used.
template <integer Vectors, class Scalar>
__attribute__((noinline)) void multiply_tile(Scalar* const* out, const Scalar* const* in, const product_terms& terms, const Scalar* weights,
                                             integer block_pitch, integer rows, integer columns, integer blocks, bool accumulate) {
    integer column = 0;
    do {
        tile_sums<Vectors, Scalar> sum;
        sum_products<Vectors>(
            sum, [=](auto p) { return in[p]; }, terms, weights);
        store_tile<Vectors, Scalar>([=](auto p) { return out[p] + column; }, sum, rows, columns, accumulate);
        column += columns;
        weights += block_pitch;
    } while (--blocks > 0);
}

/// The same of `count` rows of equal distance, in as many tiles as it takes.
template <integer Vectors, class Scalar>
__attribute__((noinline)) void multiply_rows(Scalar* out, integer out_stride, const Scalar* in, integer in_stride, integer count,
                                             const product_terms& terms, const Scalar* weights, integer columns, bool accumulate) {
    constexpr integer height = tile_rows<Vectors>;
    for (; count > 0; count -= height, in += height * in_stride, out += height * out_stride) {
        tile_sums<Vectors, Scalar> sum;
        // Rows that are not there are the last one once more.
        if (count >= height) {
            sum_products<Vectors>(
                sum, [=](auto p) { return in + p * in_stride; }, terms, weights);
        } else {
            sum_products<Vectors>(
                sum, [=](auto p) { return in + (p < count ? integer(p) : count - 1) * in_stride; }, terms, weights);
        }
        store_tile<Vectors, Scalar>([=](auto p) { return out + p * out_stride; }, sum, count, columns, accumulate);
    }
}

/// The elements of a column of a matrix.
template <class Scalar> struct matrix_column {
    const Scalar* first;
    integer stride;
    BILEVEL_INLINE Scalar operator[](integer k) const { return first[k * stride]; }
    BILEVEL_INLINE void operator+=(integer elements) { first += elements * stride; }
};

/// out = inᵀ w, or added to what is there, of one block of columns and of a few terms.    // in (depth, rows)  w (depth, Vectors · lanes) out (rows, columns)
template <integer Vectors, class Scalar>
__attribute__((noinline)) void multiply_columns(Scalar* out, integer out_stride, const Scalar* in, integer in_stride, integer rows,
                                                integer depth, const Scalar* weights, integer columns, bool accumulate) {
    constexpr integer height = tile_rows<Vectors>;
    for (integer row = 0; row < rows; row += height) {
        tile_sums<Vectors, Scalar> sum;
        const integer here = std::min(height, rows - row);
        sum_products<Vectors>(
            sum,
            [=](auto p) {
                return matrix_column<Scalar>{in + row + std::min(integer(p), here - 1), in_stride};
            },
            {1, depth, 0, 0}, weights);
        store_tile<Vectors, Scalar>([=](auto p) { return out + (row + p) * out_stride; }, sum, here, columns, accumulate);
    }
}

/// Positions that a sum runs over: images, rows, columns, with the distances from one to the next in the two arrays that are read there.
struct product_positions {
    integer images = 1, rows = 1, columns = 1;
    integer left_image = 0, left_row = 0, left_column = 0;
    integer right_image = 0, right_row = 0, right_column = 0;
};

/// out[p][j] = Σ_positions left[position + offset[p]] right[position + j], or added to what is there, for p < rows, j < columns.
/// Elements of `right` up to the whole width of the tile can be read. All tile_rows offsets can be read.
template <integer Vectors, class Scalar>
__attribute__((noinline)) void correlate_tile(Scalar* const* out, const Scalar* left, const integer* offset, const Scalar* right,
                                              const product_positions& at, integer rows, integer columns, bool accumulate) {
    constexpr integer height = tile_rows<Vectors>;
    tile_sums<Vectors, Scalar> sum;
    const Scalar* row[height];
    unrolled<height>([&](auto p) BILEVEL_INLINE_LAMBDA {
        row[p] = left + offset[p];
        unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[p][j] = broadcast(Scalar(0)); });
    });
    for (integer image = 0; image < at.images; ++image) {
        for (integer i = 0; i < at.rows; ++i) {
            integer l = image * at.left_image + i * at.left_row;
            const Scalar* r = right + image * at.right_image + i * at.right_row;
            for (integer n = 0; n < at.columns; ++n, l += at.left_column, r += at.right_column) {
                packet<Scalar> factor[Vectors];
                unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { factor[j] = load(r + j * lanes<Scalar>); });
                unrolled<height>([&](auto p) BILEVEL_INLINE_LAMBDA {
                    const auto element = broadcast(row[p][l]);
                    unrolled<Vectors>([&](auto j)
                                          BILEVEL_INLINE_LAMBDA { sum[p][j] = Eigen::internal::pmadd(element, factor[j], sum[p][j]); });
                });
            }
        }
    }
    store_tile<Vectors, Scalar>([=](auto p) { return out[p]; }, sum, rows, columns, accumulate);
}

/// A position of a sum, by the row of each factor.
struct position_pair {
    integer left, right;
};

/// out[p, j] = Σ_n left[list[n].left · pitch + p] right[list[n].right · Vectors · lanes + j], or added to what is there, for p < rows, j < columns. All tile_rows
/// elements of `left` can be read.
template <integer Vectors, class Scalar>
__attribute__((noinline)) void correlate_listed_tile(Scalar* out, integer out_stride, const Scalar* left, integer pitch,
                                                     const Scalar* right, const position_pair* list, integer count, integer rows,
                                                     integer columns, bool accumulate) {
    constexpr integer height = tile_rows<Vectors>;
    tile_sums<Vectors, Scalar> sum;
    unrolled<height>(
        [&](auto p) BILEVEL_INLINE_LAMBDA { unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[p][j] = broadcast(Scalar(0)); }); });
    if (count > 0) {
        const position_pair* const end = list + count;
        do {  // at least once, see sum_products
            const Scalar *const l = left + list->left * pitch, *const r = right + list->right * (Vectors * lanes<Scalar>);
            packet<Scalar> factor[Vectors];
            unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { factor[j] = load(r + j * lanes<Scalar>); });
            unrolled<height>([&](auto p) BILEVEL_INLINE_LAMBDA {
                const auto element = broadcast(l[p]);
                unrolled<Vectors>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[p][j] = Eigen::internal::pmadd(element, factor[j], sum[p][j]); });
            });
        } while (++list != end);
    }
    store_tile<Vectors, Scalar>([=](auto p) { return out + p * out_stride; }, sum, rows, columns, accumulate);
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
