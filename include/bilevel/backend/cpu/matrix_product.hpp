// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/few_columns.hpp>
#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/rectangles.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/cpu/tiled_products.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Products of contiguous row-major matrices, task by task, in register tiles: y = x w and the products of its two adjoints. The blocks depend on the extents
/// alone, and every sum has one order, so that the bits depend neither on the machine's caches nor on the threads that share a product.
///     x (rows, depth)  w (depth, columns)  y (rows, columns)
template <class Scalar> class matrix_product {
public:
    struct extents {
        integer rows, depth, columns;
        integer multiply_adds() const { return rows * depth * columns; }
    };

    /// y = x w, or added to what is there.
    void multiply(const shared_among_threads& threads, const view<Scalar>& y, const view<const Scalar>& x, const view<const Scalar>& w,
                  const extents& of, bool accumulate) {
        for (integer t = 0; t < y.tasks; ++t) {
            // To pack the weights is as much work as a product with a few rows.
            if (of.rows <= few_rows && of.columns % lanes<Scalar> == 0) {
                correlate_matrix(
                    y.at(t), of.columns, x.at(t), w.at(t), {1, 1, of.depth, 0, 0, 1, 0, 0, of.columns}, of.rows, of.columns,
                    [&](integer row) { return row * of.depth; }, accumulate);
                continue;
            }
            if (are_few_columns<Scalar>(of.columns)) {
                Scalar* const to = scratch(packed_, of.columns * packed_columns<Scalar>(of.depth));
                if (t == 0 || w.stride != 0) pack_few_columns(to, w.at(t), of.depth, of.columns);
                for_each_block_of_rows(threads, of, [&](integer first, integer rows) {
                    multiply_few_columns<Scalar>(y.at(t) + first * of.columns, x.at(t) + first * of.depth, to, rows, of.depth, of.columns,
                                                 accumulate);
                });
                continue;
            }
            const Scalar* packed = w.at(t);
            if (!is_packed<Scalar>(of.columns)) {
                Scalar* const to = scratch(packed_, of.depth * packed_columns<Scalar>(of.columns));
                if (t == 0 || w.stride != 0) pack(to, w.at(t), of.depth, of.columns);
                packed = to;
            }
            multiply_packed(threads, y.at(t), x.at(t), packed, of, accumulate);
        }
    }

    /// x = y wᵀ, or added to what is there.
    void multiply_by_transposed(const shared_among_threads& threads, const view<Scalar>& x, const view<const Scalar>& y,
                                const view<const Scalar>& w, const extents& of, bool accumulate) {
        Scalar* const packed = scratch(packed_, of.columns * packed_columns<Scalar>(of.depth));
        for (integer t = 0; t < x.tasks; ++t) {
            if (t == 0 || w.stride != 0) pack_transposed(packed, of.columns, 0, w.at(t), of.columns, of.depth);
            multiply_packed(threads, x.at(t), y.at(t), packed, {of.rows, of.columns, of.depth}, accumulate);
        }
    }

    /// w = xᵀ y, or added to what is there. Threads share w: each sums a rectangle of it over all rows.
    void multiply_transposed(const shared_among_threads& threads, const view<Scalar>& w, const view<const Scalar>& x,
                             const view<const Scalar>& y, const extents& of, bool accumulate) {
        const rectangles cut(of.depth, rows_of_a_block, of.columns, widest_tile * lanes<Scalar>,
                             threads.shares_of_products(of.multiply_adds()));
        const depth_blocks blocks(of.rows);
        const integer left_size = rows_of_a_block * odd_stride(blocks.step),
                      right_size = blocks.step * packed_columns<Scalar>(cut.most_columns());
        Scalar *const lefts = scratch(left_, threads.members() * left_size), *const rights =
                                                                                 scratch(packed_, threads.members() * right_size);
        for (integer t = 0; t < w.tasks; ++t)
            threads.for_each_part(cut.count(), cut.count(), [&](integer part, integer member) {
                const rectangle here = cut[part];
                for (integer block = 0; block < blocks.count; ++block) {
                    const integer first = block * blocks.step;
                    add_transposed(w.at(t) + here.first_row * of.columns + here.first_column, x.at(t) + first * of.depth + here.first_row,
                                   y.at(t) + first * of.columns + here.first_column, {blocks.size(block), here.rows(), here.columns()}, of,
                                   lefts + member * left_size, rights + member * right_size, accumulate || block > 0);
                }
            });
    }

private:
    static constexpr integer few_rows = 2 * tile_rows<widest_tile>;
    static constexpr integer rows_of_a_block = 96;  // 4 · 24: whole tiles of any height; their terms stay in the second cache

    static void multiply_packed(const shared_among_threads& threads, Scalar* y, const Scalar* x, const Scalar* packed, const extents& of,
                                bool accumulate) {
        for_each_block_of_rows(threads, of, [&](integer first, integer rows) {
            multiply_matrix(y + first * of.columns, of.columns, x + first * of.depth, of.depth, packed, rows, of.depth, of.columns,
                            accumulate);
        });
    }

    /// f(first row, rows) for blocks of rows, which threads share.
    template <class F> static void for_each_block_of_rows(const shared_among_threads& threads, const extents& of, F f) {
        const integer blocks = (of.rows + rows_of_a_block - 1) / rows_of_a_block;
        threads.for_each_part(blocks, threads.shares_of_products(of.multiply_adds()), [&](integer block, integer) {
            const integer first = block * rows_of_a_block;
            f(first, std::min(rows_of_a_block, of.rows - first));
        });
    }

    /// w += xᵀ y over a block of rows, of rectangles of the matrices, whose extents are `whole`: by the transpose of x, some of its rows at a time, unless to
    /// make it is as much work as the product.
    static void add_transposed(Scalar* w, const Scalar* x, const Scalar* y, const extents& of, const extents& whole, Scalar* left,
                               Scalar* right, bool accumulate) {
        if (are_few_columns<Scalar>(whole.columns))
            return multiply_transposed_few_columns(w, x, whole.depth, y, of.rows, of.depth, whole.columns, accumulate);
        const bool in_place = whole.columns == of.columns && is_packed<Scalar>(of.columns);
        if (!in_place) pack(right, y, of.rows, of.columns, whole.columns);
        const Scalar* const packed = in_place ? y : right;
        if (of.rows <= few_rows || of.columns <= 2 * widest_tile * lanes<Scalar>) {
            for_each_column_block<Scalar>(of.columns, [&](auto vectors, integer first, integer here) {
                multiply_columns<decltype(vectors)::value>(w + first, whole.columns, x, whole.depth, of.depth, of.rows,
                                                           packed + first * of.rows, here, accumulate);
            });
            return;
        }
        const integer stride = odd_stride(of.rows);
        for (integer first = 0; first < of.depth; first += rows_of_a_block) {
            const integer here = std::min(rows_of_a_block, of.depth - first);
            transpose(left, stride, x + first, whole.depth, of.rows, here);
            multiply_matrix(w + first * whole.columns, whole.columns, left, stride, packed, here, of.rows, of.columns, accumulate);
        }
    }
    /// So that the elements of a column lie in different sets of a cache.
    static integer odd_stride(integer elements) { return (elements + 15) / 32 * 32 + 16; }

    aligned_vector<Scalar> packed_, left_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
