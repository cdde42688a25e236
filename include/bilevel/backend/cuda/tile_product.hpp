// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// A product  c[m,n] = Σ_k left(m, k) right(k, n)  of each task, by tiles of sums: one block of threads a tile. The block goes through the terms in slabs
/// of the tile's depth, which it fetches together; what left and right are is the operands' matter, so that a convolution is a product whose patches are
/// nowhere stored, and who multiplies a slab is the tile's (lane_tile.hpp, tensor_tile.hpp). Each sum runs over its terms in order, in `splits` parts of
/// fixed length: its bits depend on the extents alone.
///
/// Written as phases of a single thread, between which the block waits for all of its threads: a device runs them at once, a host one after another.
///
/// Operands have `rows`, `columns`, `terms` and
///     row(m) -> row_type, term(k) -> term_type, left(task, row, term)    zero beyond the rows or the terms
///     right(task, k, n)                                                  for k < terms, n < columns
///     put(task, split, m, n, sum)                                        for m < rows, n < columns
///     or put_four(task, m, n, sums), the sums of rows m to m + 3         for m < rows, n < columns, of a product in one part
/// and say where neighbours in memory lie: left_lies_by_rows, right_lies_by_terms.
template <class Operands, class Tile> struct tile_product {
    using scalar = typename Operands::scalar;
    static constexpr int rows = Tile::rows, columns = Tile::columns, depth = Tile::depth, threads = Tile::threads;
    static constexpr int of_left = rows * depth / threads, of_right = columns * depth / threads;  // elements that a thread fetches
    static_assert(threads % rows == 0 && threads % columns == 0 && threads % depth == 0);

    using slab = typename Tile::slab;  // what the threads of a block share
    struct place {
        int tile, split, task;  // of a block
    };
    struct state {
        int first_row, first_column, end;
        typename Operands::row_type rows[Operands::left_lies_by_rows ? 1 : of_left];
        scalar left[of_left], right[of_right];
        typename Tile::sums sums;
    };

    Operands of;
    Tile tile{};
    int splits = 1, terms_of_split = 0;

    BILEVEL_HOST_DEVICE constexpr int tiles_across() const { return (of.columns + columns - 1) / columns; }
    BILEVEL_HOST_DEVICE constexpr int tiles() const { return (of.rows + rows - 1) / rows * tiles_across(); }
    BILEVEL_HOST_DEVICE constexpr int slabs() const { return (terms_of_split + depth - 1) / depth; }

    BILEVEL_HOST_DEVICE void begin(state& s, place at, int thread) const {
        s.first_row = at.tile / tiles_across() * rows;
        s.first_column = at.tile % tiles_across() * columns;
        const int end = (at.split + 1) * terms_of_split;
        s.end = end < of.terms ? end : of.terms;
        if constexpr (Operands::left_lies_by_rows) {
            s.rows[0] = of.row(s.first_row + thread % rows);
        } else {
            for (int i = 0; i < of_left; ++i) s.rows[i] = of.row(s.first_row + thread / depth + i * (threads / depth));
        }
        tile.clear(s.sums);
    }

    /// The thread's part of a slab, from where the operands lie; zeros beyond the part of the sum.
    BILEVEL_HOST_DEVICE void fetch(state& s, place at, int thread, int number) const {
        const int first = at.split * terms_of_split + number * depth;
        const auto term = [&](int k) { return of.term(k < s.end ? k : of.terms); };
        if constexpr (Operands::left_lies_by_rows) {
            for (int i = 0; i < of_left; ++i) s.left[i] = of.left(at.task, s.rows[0], term(first + thread / rows + i * (threads / rows)));
        } else {
            const auto of_thread = term(first + thread % depth);
            for (int i = 0; i < of_left; ++i) s.left[i] = of.left(at.task, s.rows[i], of_thread);
        }
        for (int i = 0; i < of_right; ++i) {
            const int k = first + (Operands::right_lies_by_terms ? thread % depth : thread / columns + i * (threads / columns));
            const int n = s.first_column + (Operands::right_lies_by_terms ? thread / depth + i * (threads / depth) : thread % columns);
            s.right[i] = k < s.end && n < of.columns ? of.right(at.task, k, n) : scalar(0);
        }
    }

    BILEVEL_HOST_DEVICE void share(const state& s, slab& to, int thread) const {
        for (int i = 0; i < of_left; ++i) {
            const int k = Operands::left_lies_by_rows ? thread / rows + i * (threads / rows) : thread % depth;
            const int m = Operands::left_lies_by_rows ? thread % rows : thread / depth + i * (threads / depth);
            to.set_left(k, m, s.left[i]);
        }
        for (int i = 0; i < of_right; ++i) {
            const int k = Operands::right_lies_by_terms ? thread % depth : thread / columns + i * (threads / columns);
            const int n = Operands::right_lies_by_terms ? thread / depth + i * (threads / depth) : thread % columns;
            to.set_right(k, n, s.right[i]);
        }
    }

    /// `warp` is what a warp does together, where a tile asks it.
    template <class Warp> BILEVEL_HOST_DEVICE void multiply(state& s, const slab& from, int thread, Warp& warp) const {
        tile.multiply(s.sums, from, thread, warp);
    }

    BILEVEL_HOST_DEVICE void end(const state& s, place at, int thread) const {
        const auto is_inside = [&](int m, int n) { return m < of.rows && n < of.columns; };
        if constexpr (requires { &Operands::put_four; }) {
            tile.for_each_four(s.sums, thread, [&](int i, int j, const scalar(&sums)[4]) {
                const int m = s.first_row + i, n = s.first_column + j;
                if (is_inside(m, n)) of.put_four(at.task, m, n, sums);
            });
        } else {
            tile.for_each_sum(s.sums, thread, [&](int i, int j, scalar sum) {
                const int m = s.first_row + i, n = s.first_column + j;
                if (is_inside(m, n)) of.put(at.task, at.split, m, n, sum);
            });
        }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
