// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/packet.hpp>

#include <algorithm>

/// Products with a matrix of a few columns, such as the logits of five classes: a register tile would leave most lanes of its vectors empty, so that the lanes
/// run along the other extents.
///     x (rows, depth)  w (depth, columns)  y (rows, columns)
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Whether so many columns are few: they leave half of a vector empty.
template <class Scalar> constexpr bool are_few_columns(integer columns) { return 2 * columns <= lanes<Scalar>; }

namespace few_columns {

/// Rows and columns that are summed at a time: as many sums as registers hold beside their factors.
inline constexpr integer rows_at_once = 4;
inline constexpr integer columns_at_once = vector_registers == 32 ? 5 : 2;

/// f(columns as a constant, first column) for blocks of columns.
template <class F> void for_each_block(integer columns, F f) {
    for (integer first = 0; first < columns; first += columns_at_once)
        unrolled<columns_at_once>([&](auto last) {
            if (std::min(columns_at_once, columns - first) == last + 1) f(std::integral_constant<integer, last + 1>{}, first);
        });
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a block of vectors forgets that they may alias, which nothing here relies on
#endif

/// A vector of four, each the sum of every fourth lane.
template <class Packet> BILEVEL_INLINE auto sum_to_four(const Packet& vector) {
    if constexpr (Eigen::internal::unpacket_traits<Packet>::size > 4) {
        return sum_to_four(Eigen::internal::predux_half_dowto4(vector));
    } else {
        return vector;
    }
}

/// to[i] = the sum of the lanes of vectors[i].
template <class Scalar> BILEVEL_INLINE void sum_lanes(Scalar (&to)[rows_at_once], const packet<Scalar> (&vectors)[rows_at_once]) {
    if constexpr (lanes<Scalar> >= rows_at_once) {
        // A transpose of four costs less than a sum across each vector.
        using four = decltype(sum_to_four(vectors[0]));
        Eigen::internal::PacketBlock<four, rows_at_once> block;
        unrolled<rows_at_once>([&](auto i) BILEVEL_INLINE_LAMBDA { block.packet[i] = sum_to_four(vectors[i]); });
        Eigen::internal::ptranspose(block);
        using Eigen::internal::padd;
        store(to, four(padd(padd(block.packet[0], block.packet[1]), padd(block.packet[2], block.packet[3]))));
    } else {
        unrolled<rows_at_once>([&](auto i) BILEVEL_INLINE_LAMBDA { to[i] = Eigen::internal::predux(vectors[i]); });
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// y[p, j] = Σ_k x[p, k] wᵀ[j, k] for some columns and at most four rows, the lanes along k.
template <integer Columns, class Scalar>
BILEVEL_INLINE void multiply_lanes_of_terms(Scalar* y, integer y_stride, const Scalar* x, const Scalar* transposed, integer stride,
                                            integer rows, integer depth, bool accumulate) {
    const Scalar* row[rows_at_once];
    packet<Scalar> sum[Columns][rows_at_once];
    unrolled<rows_at_once>([&](auto p) BILEVEL_INLINE_LAMBDA {
        row[p] = x + std::min(integer(p), rows - 1) * depth;  // rows that are not there are the last one once more
        unrolled<Columns>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[j][p] = broadcast(Scalar(0)); });
    });
    for_each_vector<Scalar>(depth, [&](auto vector, integer k) BILEVEL_INLINE_LAMBDA {
        packet<Scalar> factor[Columns];
        unrolled<Columns>([&](auto j) BILEVEL_INLINE_LAMBDA { factor[j] = load(transposed + j * stride + k); });
        unrolled<rows_at_once>([&](auto p) BILEVEL_INLINE_LAMBDA {
            const auto terms = vector.get(row[p] + k);
            unrolled<Columns>([&](auto j) BILEVEL_INLINE_LAMBDA { sum[j][p] = Eigen::internal::pmadd(terms, factor[j], sum[j][p]); });
        });
    });
    Scalar sums[Columns][rows_at_once];
    unrolled<Columns>([&](auto j) BILEVEL_INLINE_LAMBDA { sum_lanes(sums[j], sum[j]); });
    const auto store_row = [&](integer p) BILEVEL_INLINE_LAMBDA {
        Scalar* const to = y + p * y_stride;
        if (accumulate) {
            unrolled<Columns>([&](auto j) BILEVEL_INLINE_LAMBDA { to[j] += sums[j][p]; });
        } else {
            unrolled<Columns>([&](auto j) BILEVEL_INLINE_LAMBDA { to[j] = sums[j][p]; });
        }
    };
    for (integer p = 0; p < rows; ++p) store_row(p);
}

}  // namespace few_columns

/// wᵀ, each row filled up with zeros to whole vectors.    // transposed (columns, packed_columns(depth))
template <class Scalar> void pack_few_columns(Scalar* transposed, const Scalar* w, integer depth, integer columns) {
    const integer stride = packed_columns<Scalar>(depth);
    for (integer k = 0; k < depth; ++k)
        for (integer j = 0; j < columns; ++j) transposed[j * stride + k] = w[k * columns + j];
    for (integer j = 0; j < columns; ++j) std::fill(transposed + j * stride + depth, transposed + (j + 1) * stride, Scalar(0));
}

/// y = x w, or added to what is there, of weights that `pack_few_columns` has packed.
template <class Scalar>
__attribute__((noinline)) void multiply_few_columns(Scalar* y, const Scalar* x, const Scalar* transposed, integer rows, integer depth,
                                                    integer columns, bool accumulate) {
    const integer stride = packed_columns<Scalar>(depth);
    few_columns::for_each_block(columns, [&](auto here, integer first) {
        for (integer row = 0; row < rows; row += few_columns::rows_at_once)
            few_columns::multiply_lanes_of_terms<decltype(here)::value>(y + row * columns + first, columns, x + row * depth,
                                                                        transposed + first * stride, stride,
                                                                        std::min(few_columns::rows_at_once, rows - row), depth, accumulate);
    });
}

/// w = xᵀ y, or added to what is there, for `depth` columns of x, whose rows are x_stride apart: the lanes along the depth.    // w (depth, columns)
template <class Scalar>
__attribute__((noinline)) void multiply_transposed_few_columns(Scalar* w, const Scalar* x, integer x_stride, const Scalar* y, integer rows,
                                                               integer depth, integer columns, bool accumulate) {
    constexpr integer vectors = 4;
    few_columns::for_each_block(columns, [&](auto here, integer first_column) {
        constexpr integer n = decltype(here)::value;
        const auto block = [&](auto width, integer first, integer elements) {
            constexpr integer v = decltype(width)::value;
            packet<Scalar> sum[n][v];
            unrolled<n>([&](auto j) BILEVEL_INLINE_LAMBDA {
                unrolled<v>([&](auto i) BILEVEL_INLINE_LAMBDA { sum[j][i] = broadcast(Scalar(0)); });
            });
            for (integer row = 0; row < rows; ++row) {
                const Scalar* const from = x + row * x_stride + first;
                packet<Scalar> terms[v];
                unrolled<v>([&](auto i)
                                BILEVEL_INLINE_LAMBDA { terms[i] = v == 1 ? load_first(from, elements) : load(from + i * lanes<Scalar>); });
                unrolled<n>([&](auto j) BILEVEL_INLINE_LAMBDA {
                    const auto factor = broadcast(y[row * columns + first_column + j]);
                    unrolled<v>([&](auto i) BILEVEL_INLINE_LAMBDA { sum[j][i] = Eigen::internal::pmadd(terms[i], factor, sum[j][i]); });
                });
            }
            Scalar sums[n][v * lanes<Scalar>];
            unrolled<n>([&](auto j) BILEVEL_INLINE_LAMBDA {
                unrolled<v>([&](auto i) BILEVEL_INLINE_LAMBDA { store(sums[j] + i * lanes<Scalar>, sum[j][i]); });
            });
            for (integer k = 0; k < elements; ++k) {
                Scalar* const to = w + (first + k) * columns + first_column;
                for (integer j = 0; j < n; ++j) to[j] = accumulate ? to[j] + sums[j][k] : sums[j][k];
            }
        };
        integer first = 0;
        for (; first + vectors * lanes<Scalar> <= depth; first += vectors * lanes<Scalar>)
            block(std::integral_constant<integer, vectors>{}, first, vectors * lanes<Scalar>);
        for (; first < depth; first += lanes<Scalar>)
            block(std::integral_constant<integer, 1>{}, first, std::min(lanes<Scalar>, depth - first));
    });
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
