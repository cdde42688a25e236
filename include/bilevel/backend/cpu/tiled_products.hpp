// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/register_tile.hpp>

#include <algorithm>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Sums of many terms, cut so that the weights of a block of columns stay in the first cache. At least one block, which may be empty.
struct depth_blocks {
    explicit depth_blocks(integer depth)
        : terms(depth), count(std::max((depth + longest - 1) / longest, integer{1})), step((depth + count - 1) / count) {}
    integer size(integer block) const { return std::min(step, terms - block * step); }
    static constexpr integer longest = 384;
    integer terms, count, step;
};

/// out = in w, or added to what is there.    // out (rows, columns)  in (rows, depth)  w (depth, columns), packed
template <class Scalar>
void multiply_matrix(Scalar* out, integer out_stride, const std::type_identity_t<Scalar>* in, integer in_stride,
                     const std::type_identity_t<Scalar>* packed, integer rows, integer depth, integer columns, bool accumulate) {
    const depth_blocks blocks(depth);
    for (integer block = 0; block < blocks.count; ++block)
        for_each_column_block<Scalar>(columns, [&](auto vectors, integer first, integer here) {
            constexpr integer width = decltype(vectors)::value * lanes<Scalar>;
            const integer k = block * blocks.step;
            multiply_rows<decltype(vectors)::value>(out + first, out_stride, in + k, in_stride, rows, {1, blocks.size(block), 0, 0},
                                                    packed + first * depth + k * width, here, accumulate || block > 0);
        });
}

/// out[p, j] = Σ_positions left[position + offset(p)] right[position + j], or added to what is there, in tiles, of one block of columns; see correlate_tile.
template <integer Vectors, class Scalar, class Offset>
void correlate_rows(Scalar* out, integer out_stride, const Scalar* left, const Scalar* right, const product_positions& at, integer rows,
                    integer columns, Offset offset, bool accumulate) {
    constexpr integer height = tile_rows<Vectors>;
    for (integer first = 0; first < rows; first += height) {
        integer offsets[height];
        Scalar* to[height];
        const integer here = std::min(height, rows - first);
        for (integer p = 0; p < height; ++p) {
            const integer row = first + std::min(p, here - 1);
            offsets[p] = offset(row);
            to[p] = out + row * out_stride;
        }
        correlate_tile<Vectors>(to, left, offsets, right, at, here, columns, accumulate);
    }
}

/// The same of all columns.    // out (rows, columns)
template <class Scalar, class Offset>
void correlate_matrix(Scalar* out, integer out_stride, const Scalar* left, const Scalar* right, const product_positions& at, integer rows,
                      integer columns, Offset offset, bool accumulate) {
    for_each_column_block<Scalar>(columns, [&](auto vectors, integer first, integer here) {
        correlate_rows<decltype(vectors)::value>(out + first, out_stride, left, right + first, at, rows, here, offset, accumulate);
    });
}

/// out[p, j] = Σ_n left[list[n].left, p] right[list[n].right, j], or added to what is there.    // out (rows, columns)
/// left in panels of `left_rows` rows, right packed of `right_rows`. Behind the last row of `left` a tile's rows can be read.
template <class Scalar>
void correlate_listed(Scalar* out, const Scalar* left, integer left_rows, const Scalar* right, integer right_rows,
                      const position_pair* list, integer count, integer rows, integer columns, bool accumulate) {
    for_each_panel(rows, [&](integer first, integer width) {
        for_each_column_block<Scalar>(columns, [&](auto vectors, integer first_column, integer here) {
            constexpr integer height = tile_rows<decltype(vectors)::value>;
            for (integer row = 0; row < width; row += height)
                correlate_listed_tile<decltype(vectors)::value>(out + (first + row) * columns + first_column, columns,
                                                                left + first * left_rows + row, width, right + first_column * right_rows,
                                                                list, count, std::min(height, width - row), here, accumulate);
        });
    });
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
