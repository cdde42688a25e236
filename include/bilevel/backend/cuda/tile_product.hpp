// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// A product  c[m,n] = Σ_k left(m, k) right(k, n)  of each task, by tiles of Rows × Columns sums: one block of threads a tile, each thread a part of
/// RowsOfThread × ColumnsOfThread. The block goes through the terms in slabs of `depth`, which it fetches together; what left and right are is the
/// operands' matter, so that a convolution is a product whose patches are nowhere stored. Each sum runs over its terms in order, in `splits` parts of fixed
/// length: its bits depend on the extents alone.
///
/// Written as phases of a single thread, between which the block waits for all of its threads: a device runs them at once, a host one after another.
///
/// Operands have `rows`, `columns`, `terms` and
///     row(m) -> row_type, term(k) -> term_type, left(task, row, term)    zero beyond the rows or the terms
///     right(task, k, n)                                                  for k < terms, n < columns
///     put(task, split, m, n, sum)                                        for m < rows, n < columns
/// and say where neighbours in memory lie: left_lies_by_rows, right_lies_by_terms.
template <class Operands, int Rows, int Columns, int RowsOfThread, int ColumnsOfThread> struct tile_product {
    using scalar = typename Operands::scalar;
    static constexpr int depth = 16;
    static constexpr int threads_across = Columns / ColumnsOfThread;
    static constexpr int threads = Rows / RowsOfThread * threads_across;
    static constexpr int of_left = Rows * depth / threads, of_right = Columns * depth / threads;  // elements that a thread fetches
    static_assert(threads % Rows == 0 && threads % Columns == 0 && threads % depth == 0);
    static_assert(RowsOfThread % 4 == 0 && ColumnsOfThread % 4 == 0);

    /// Four neighbours, which a device reads at once.
    struct alignas(sizeof(scalar) * 4 > 16 ? 16 : sizeof(scalar) * 4) quad {
        scalar element[4];
    };
    /// What the threads of a block share; rows are padded so that writing a column meets no bank twice.
    struct slab {
        quad left[depth][Rows / 4 + 1], right[depth][Columns / 4 + 1];
    };
    struct place {
        int tile, split, task;  // of a block
    };
    struct state {
        int first_row, first_column, end;
        typename Operands::row_type rows[Operands::left_lies_by_rows ? 1 : of_left];
        scalar left[of_left], right[of_right];
        scalar sums[RowsOfThread][ColumnsOfThread];
    };

    Operands of;
    int splits = 1, terms_of_split = 0;

    BILEVEL_HOST_DEVICE constexpr int tiles_across() const { return (of.columns + Columns - 1) / Columns; }
    BILEVEL_HOST_DEVICE constexpr int tiles() const { return (of.rows + Rows - 1) / Rows * tiles_across(); }
    BILEVEL_HOST_DEVICE constexpr int slabs() const { return (terms_of_split + depth - 1) / depth; }

    BILEVEL_HOST_DEVICE void begin(state& s, place at, int thread) const {
        s.first_row = at.tile / tiles_across() * Rows;
        s.first_column = at.tile % tiles_across() * Columns;
        const int end = (at.split + 1) * terms_of_split;
        s.end = end < of.terms ? end : of.terms;
        if constexpr (Operands::left_lies_by_rows) {
            s.rows[0] = of.row(s.first_row + thread % Rows);
        } else {
            for (int i = 0; i < of_left; ++i) s.rows[i] = of.row(s.first_row + thread / depth + i * (threads / depth));
        }
        for (int i = 0; i < RowsOfThread; ++i)
            for (int j = 0; j < ColumnsOfThread; ++j) s.sums[i][j] = scalar(0);
    }

    /// The thread's part of a slab, from where the operands lie; zeros beyond the part of the sum.
    BILEVEL_HOST_DEVICE void fetch(state& s, place at, int thread, int number) const {
        const int first = at.split * terms_of_split + number * depth;
        const auto term = [&](int k) { return of.term(k < s.end ? k : of.terms); };
        if constexpr (Operands::left_lies_by_rows) {
            for (int i = 0; i < of_left; ++i) s.left[i] = of.left(at.task, s.rows[0], term(first + thread / Rows + i * (threads / Rows)));
        } else {
            const auto of_thread = term(first + thread % depth);
            for (int i = 0; i < of_left; ++i) s.left[i] = of.left(at.task, s.rows[i], of_thread);
        }
        for (int i = 0; i < of_right; ++i) {
            const int k = first + (Operands::right_lies_by_terms ? thread % depth : thread / Columns + i * (threads / Columns));
            const int n = s.first_column + (Operands::right_lies_by_terms ? thread / depth + i * (threads / depth) : thread % Columns);
            s.right[i] = k < s.end && n < of.columns ? of.right(at.task, k, n) : scalar(0);
        }
    }

    BILEVEL_HOST_DEVICE void share(const state& s, slab& to, int thread) const {
        for (int i = 0; i < of_left; ++i) {
            const int k = Operands::left_lies_by_rows ? thread / Rows + i * (threads / Rows) : thread % depth;
            const int m = Operands::left_lies_by_rows ? thread % Rows : thread / depth + i * (threads / depth);
            to.left[k][m / 4].element[m % 4] = s.left[i];
        }
        for (int i = 0; i < of_right; ++i) {
            const int k = Operands::right_lies_by_terms ? thread % depth : thread / Columns + i * (threads / Columns);
            const int n = Operands::right_lies_by_terms ? thread / depth + i * (threads / depth) : thread % Columns;
            to.right[k][n / 4].element[n % 4] = s.right[i];
        }
    }

    BILEVEL_HOST_DEVICE void multiply(state& s, const slab& from, int thread) const {
        const int row = thread / threads_across * (RowsOfThread / 4), column = thread % threads_across * (ColumnsOfThread / 4);
        for (int k = 0; k < depth; ++k) {
            quad left[RowsOfThread / 4], right[ColumnsOfThread / 4];
            for (int i = 0; i < RowsOfThread / 4; ++i) left[i] = from.left[k][row + i];
            for (int j = 0; j < ColumnsOfThread / 4; ++j) right[j] = from.right[k][column + j];
            for (int i = 0; i < RowsOfThread; ++i)
                for (int j = 0; j < ColumnsOfThread; ++j) s.sums[i][j] += left[i / 4].element[i % 4] * right[j / 4].element[j % 4];
        }
    }

    BILEVEL_HOST_DEVICE void end(const state& s, place at, int thread) const {
        for (int i = 0; i < RowsOfThread; ++i)
            for (int j = 0; j < ColumnsOfThread; ++j) {
                const int m = s.first_row + thread / threads_across * RowsOfThread + i,
                          n = s.first_column + thread % threads_across * ColumnsOfThread + j;
                if (m < of.rows && n < of.columns) of.put(at.task, at.split, m, n, s.sums[i][j]);
            }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
