// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/tf32.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The tile of a `tile_product` of floats on tensor cores: each warp sums RowsOfWarp × ColumnsOfWarp of its Rows × Columns elements, in TF32 or, with the
/// accuracy of FP32, in three products of it (arithmetic.hpp). What a warp does together is the business of its `Warp`:
///     warp.multiply(sums, a, b)     sums += a b, by fragments of c, a and b
template <int Rows, int Columns, int RowsOfWarp, int ColumnsOfWarp> struct tensor_tile {
    using fragments = on_device::warp_fragments;
    static constexpr int rows = Rows, columns = Columns, depth = 16;
    static constexpr int warps_across = Columns / ColumnsOfWarp;
    static constexpr int threads = Rows / RowsOfWarp * warps_across * fragments::lanes;
    static constexpr int down = RowsOfWarp / fragments::rows, across = ColumnsOfWarp / fragments::columns;
    static_assert(RowsOfWarp % fragments::rows == 0 && ColumnsOfWarp % fragments::columns == 0 && depth % fragments::terms == 0);
    static_assert(Rows % 32 == 0 && Columns % 32 == 0);  // see `slab`

    bool three = false;

    /// Rows of a length of 8 more than a multiple of 32, in which the neighbours change places by k: so neither the lanes that read a fragment (four k, eight
    /// m) nor those that write a column (sixteen k, two m) meet in a bank.
    struct slab {
        float left[depth][Rows + 8], right[depth][Columns + 8];

        static BILEVEL_HOST_DEVICE constexpr int place(int k, int m) { return m ^ (k / 4 % 4 * 2); }
        BILEVEL_HOST_DEVICE void set_left(int k, int m, float value) { left[k][place(k, m)] = value; }
        BILEVEL_HOST_DEVICE void set_right(int k, int n, float value) { right[k][place(k, n)] = value; }
    };
    struct sums {
        float of[down][across][fragments::of_c];
    };

    BILEVEL_HOST_DEVICE void clear(sums& s) const {
        for (int i = 0; i < down; ++i)
            for (int j = 0; j < across; ++j)
                for (int q = 0; q < fragments::of_c; ++q) s.of[i][j][q] = 0.0F;
    }

    template <class Warp> BILEVEL_HOST_DEVICE void multiply(sums& s, const slab& from, int thread, Warp& warp) const {
        three ? multiply_by<true>(s, from, thread, warp) : multiply_by<false>(s, from, thread, warp);
    }

    /// f(m, n, sum) for every sum of the thread.
    template <class F> BILEVEL_HOST_DEVICE void for_each_sum(const sums& s, int thread, const F& f) const {
        BILEVEL_UNROLL
        for (int number = 0; number < down * across * fragments::of_c; ++number) {
            const int q = number % fragments::of_c, j = number / fragments::of_c % across, i = number / fragments::of_c / across;
            const auto at = fragments::c(thread % fragments::lanes, q);
            f(first_row(thread) + i * fragments::rows + at.row, first_column(thread) + j * fragments::columns + at.column, s.of[i][j][q]);
        }
    }

private:
    template <bool Three, class Warp> static BILEVEL_HOST_DEVICE void multiply_by(sums& s, const slab& from, int thread, Warp& warp) {
        const int lane = thread % fragments::lanes, row = first_row(thread), column = first_column(thread);
        BILEVEL_UNROLL
        for (int k = 0; k < depth; k += fragments::terms) {
            on_device::fragment<fragments::of_a, Three> a[down];
            for (int i = 0; i < down; ++i)
                for (int q = 0; q < fragments::of_a; ++q) {
                    const auto at = fragments::a(lane, q);
                    a[i].set(q, from.left[k + at.column][slab::place(k + at.column, row + i * fragments::rows + at.row)]);
                }
            for (int j = 0; j < across; ++j) {
                on_device::fragment<fragments::of_b, Three> b;
                for (int q = 0; q < fragments::of_b; ++q) {
                    const auto at = fragments::b(lane, q);
                    b.set(q, from.right[k + at.row][slab::place(k + at.row, column + j * fragments::columns + at.column)]);
                }
                for (int i = 0; i < down; ++i) warp.multiply(s.of[i][j], a[i], b);
            }
        }
    }
    static BILEVEL_HOST_DEVICE constexpr int first_row(int thread) { return thread / fragments::lanes / warps_across * RowsOfWarp; }
    static BILEVEL_HOST_DEVICE constexpr int first_column(int thread) { return thread / fragments::lanes % warps_across * ColumnsOfWarp; }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
