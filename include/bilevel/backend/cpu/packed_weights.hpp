// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/register_tile.hpp>

#include <algorithm>

/// Weights in the order in which register tiles read them: in blocks of columns, padded with zeros to whole vectors, and in each block row by row.
///  packed[first · rows + k · width + j] = matrix[k, first + j]  for the block of `width` columns that begins with `first`
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

template <class Scalar> constexpr integer packed_columns(integer columns) {
    return (columns + lanes<Scalar> - 1) / lanes<Scalar> * lanes<Scalar>;
}

/// Vectors of the first block of so many columns: the widest tiles first. It may be wider than the columns.
template <class Scalar> constexpr integer block_vectors(integer columns) {
    const integer vectors = packed_columns<Scalar>(columns) / lanes<Scalar>;
    return vectors >= widest_tile ? widest_tile : vectors >= 2 ? 2 : 1;
}

/// f(vectors as a constant, first column, columns of the block that exist) for every block.
template <class Scalar, class F> void for_each_column_block(integer columns, F f) {
    integer first = 0;
    while (first < columns) {
        const integer left = columns - first, vectors = block_vectors<Scalar>(left);
        const auto block = [&](auto width) { f(width, first, std::min(width * lanes<Scalar>, left)); };
        if (vectors == widest_tile) {
            block(std::integral_constant<integer, widest_tile>{});
        } else if (vectors == 2) {
            block(std::integral_constant<integer, 2>{});
        } else {
            block(std::integral_constant<integer, 1>{});
        }
        first += vectors * lanes<Scalar>;
    }
}

/// Rows of a matrix, `stride` apart, side by side and each filled up with zeros to whole vectors.    // to (rows, packed_columns)
template <class Scalar> void copy_to_whole_vectors(Scalar* to, const Scalar* from, integer rows, integer columns, integer stride) {
    for (integer i = 0; i < rows; ++i)
        for (integer j = 0; j < columns; j += lanes<Scalar>, to += lanes<Scalar>) store(to, load_first(from + i * stride + j, columns - j));
}

/// Whether a matrix is its own packed form: one block, all of whose columns exist.
template <class Scalar> constexpr bool is_packed(integer columns) { return columns == block_vectors<Scalar>(columns) * lanes<Scalar>; }

/// packed from matrix, whose rows are `stride` apart.    // matrix (rows, columns)  packed (rows · packed_columns)
template <class Scalar> void pack(Scalar* packed, const Scalar* matrix, integer rows, integer columns, integer stride) {
    constexpr integer widest = widest_tile * lanes<Scalar>;
    const integer whole = columns / widest;
    // Row by row: what is read is long, what is written is in the cache afterwards.
    for (integer k = 0; k < rows; ++k) {
        const Scalar* from = matrix + k * stride;
        Scalar* to = packed + k * widest;
        for (integer block = 0; block < whole; ++block, from += widest, to += rows * widest)
            unrolled<widest_tile>([&](auto j) BILEVEL_INLINE_LAMBDA { store(to + j * lanes<Scalar>, load(from + j * lanes<Scalar>)); });
    }
    for_each_column_block<Scalar>(columns - whole * widest, [&](auto vectors, integer first, integer here) {
        constexpr integer width = decltype(vectors)::value * lanes<Scalar>;
        const Scalar* from = matrix + whole * widest + first;
        Scalar* to = packed + (whole * widest + first) * rows;
        for (integer k = 0; k < rows; ++k, from += stride, to += width)
            for (integer j = 0; j < width; j += lanes<Scalar>) store(to + j, load_first(from + j, here - j));
    });
}
template <class Scalar> void pack(Scalar* packed, const Scalar* matrix, integer rows, integer columns) {
    pack(packed, matrix, rows, columns, columns);
}

/// Columns side by side in the left factor of a sum over rows: whole vectors, and whole register tiles of any height.
inline constexpr integer panel = 48;

/// f(first column, columns of the panel).
template <class F> BILEVEL_INLINE void for_each_panel(integer columns, F f) {
    for (integer first = 0; first < columns; first += panel) f(first, std::min(panel, columns - first));
}

/// packed[first · rows + i · width + j] = matrix[i, first + j] for the panel of `width` columns that begins with `first`.    // matrix (rows, columns)
template <class Scalar> void pack_panels(Scalar* packed, const Scalar* matrix, integer rows, integer columns) {
    for_each_panel(columns, [=](integer first, integer width) {
        const Scalar* from = matrix + first;
        Scalar* to = packed + first * rows;
        for (integer i = 0; i < rows; ++i, from += columns, to += width)
            for_each_vector<Scalar>(width, [=](auto vector, integer j) { vector.put(to + j, vector.get(from + j)); });
    });
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a block of vectors forgets that they may alias, which nothing here relies on
#endif

/// out = inᵀ for a square of lanes × lanes.
template <class Scalar> BILEVEL_INLINE void transpose_square(Scalar* out, integer out_stride, const Scalar* in, integer in_stride) {
    constexpr integer n = lanes<Scalar>;
    if constexpr (n == 1) {
        *out = *in;
    } else {
        Eigen::internal::PacketBlock<packet<Scalar>, n> square;
        for (integer i = 0; i < n; ++i) square.packet[i] = load(in + i * in_stride);
        Eigen::internal::ptranspose(square);
        for (integer i = 0; i < n; ++i) store(out + i * out_stride, packet<Scalar>(square.packet[i]));
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// out = inᵀ.    // in (rows, columns)  out (columns, rows)
template <class Scalar>
void transpose(Scalar* out, integer out_stride, const Scalar* in, integer in_stride, integer rows, integer columns) {
    constexpr integer n = lanes<Scalar>;
    const integer whole_rows = rows / n * n, whole_columns = columns / n * n;
    for (integer i = 0; i < whole_rows; i += n)
        for (integer j = 0; j < whole_columns; j += n)
            transpose_square(out + j * out_stride + i, out_stride, in + i * in_stride + j, in_stride);
    for (integer i = 0; i < rows; ++i)
        for (integer j = i < whole_rows ? whole_columns : 0; j < columns; ++j) out[j * out_stride + i] = in[i * in_stride + j];
}

/// Rows first_row … first_row + rows − 1 of a packed matrix of `all_rows` rows, from their transpose.    // transposed (columns, rows)
template <class Scalar>
void pack_transposed(Scalar* packed, integer all_rows, integer first_row, const Scalar* transposed, integer rows, integer columns) {
    for_each_column_block<Scalar>(columns, [&](auto vectors, integer first, integer here) {
        constexpr integer width = decltype(vectors)::value * lanes<Scalar>;
        Scalar* const to = packed + first * all_rows + first_row * width;
        transpose(to, width, transposed + first * rows, rows, here, rows);
        for (integer k = 0; here < width && k < rows; ++k)
            for (integer j = here; j < width; ++j) to[k * width + j] = Scalar(0);
    });
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
