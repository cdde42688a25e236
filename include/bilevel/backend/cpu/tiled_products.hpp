// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/register_tile.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The products of `count` rows of equal distance with one block of columns, in tiles.    // weights packed; see multiply_tile
template <integer Vectors, class Scalar>
void multiply_rows(Scalar* out, integer out_stride, const Scalar* in, integer in_stride, integer count, const product_terms& terms,
                   const Scalar* weights, integer columns, bool accumulate) {
    constexpr integer height = tile_rows<Vectors>;
    for (integer first = 0; first < count; first += height) {
        const Scalar* from[height];
        Scalar* to[height];
        const integer here = std::min(height, count - first);
        for (integer p = 0; p < height; ++p) {
            const integer row = first + std::min(p, here - 1);
            from[p] = in + row * in_stride;
            to[p] = out + row * out_stride;
        }
        multiply_tile<Vectors>(to, from, terms, weights, here, columns, accumulate);
    }
}

/// out[p, j] = Σ_positions left[position + offset(p)] right[position + j], or added to what is there, in tiles; see correlate_tile.    // out (rows, columns)
template <class Scalar, class Offset>
void correlate_matrix(Scalar* out, integer out_stride, const Scalar* left, const Scalar* right, const product_positions& at, integer rows,
                      integer columns, Offset offset, bool accumulate) {
    for_each_column_block<Scalar>(columns, [&](auto vectors, integer first_column, integer columns_here) {
        constexpr integer height = tile_rows<decltype(vectors)::value>;
        for (integer first = 0; first < rows; first += height) {
            integer offsets[height];
            Scalar* to[height];
            const integer here = std::min(height, rows - first);
            for (integer p = 0; p < height; ++p) {
                const integer row = first + std::min(p, here - 1);
                offsets[p] = offset(row);
                to[p] = out + row * out_stride + first_column;
            }
            correlate_tile<decltype(vectors)::value>(to, left, offsets, right + first_column, at, here, columns_here, accumulate);
        }
    });
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
