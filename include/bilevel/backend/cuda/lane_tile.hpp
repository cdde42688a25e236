// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The tile of a `tile_product` on the device's ordinary lanes: each thread sums RowsOfThread × ColumnsOfThread of its Rows × Columns elements.
template <class Scalar, int Rows, int Columns, int RowsOfThread, int ColumnsOfThread> struct lane_tile {
    static constexpr int rows = Rows, columns = Columns, depth = 16;
    static constexpr int threads_across = Columns / ColumnsOfThread;
    static constexpr int threads = Rows / RowsOfThread * threads_across;
    static_assert(RowsOfThread % 4 == 0 && ColumnsOfThread % 4 == 0);

    /// Four neighbours, which a device reads at once.
    struct alignas(sizeof(Scalar) * 4 > 16 ? 16 : sizeof(Scalar) * 4) quad {
        Scalar element[4];
    };
    /// Rows are padded: of sixteen terms that are written at once two meet in a bank (floats).
    struct slab {
        quad left[depth][Rows / 4 + 1], right[depth][Columns / 4 + 1];

        BILEVEL_HOST_DEVICE void set_left(int k, int m, Scalar value) { left[k][m / 4].element[m % 4] = value; }
        BILEVEL_HOST_DEVICE void set_right(int k, int n, Scalar value) { right[k][n / 4].element[n % 4] = value; }
    };
    struct sums {
        Scalar of[RowsOfThread][ColumnsOfThread];
    };

    BILEVEL_HOST_DEVICE void clear(sums& s) const {
        for (int i = 0; i < RowsOfThread; ++i)
            for (int j = 0; j < ColumnsOfThread; ++j) s.of[i][j] = Scalar(0);
    }

    template <class Warp> BILEVEL_HOST_DEVICE void multiply(sums& s, const slab& from, int thread, Warp&) const {
        const int row = thread / threads_across * (RowsOfThread / 4), column = thread % threads_across * (ColumnsOfThread / 4);
        for (int k = 0; k < depth; ++k) {
            quad left[RowsOfThread / 4], right[ColumnsOfThread / 4];
            for (int i = 0; i < RowsOfThread / 4; ++i) left[i] = from.left[k][row + i];
            for (int j = 0; j < ColumnsOfThread / 4; ++j) right[j] = from.right[k][column + j];
            for (int i = 0; i < RowsOfThread; ++i)
                for (int j = 0; j < ColumnsOfThread; ++j) s.of[i][j] += left[i / 4].element[i % 4] * right[j / 4].element[j % 4];
        }
    }

    /// f(m, n, sums) for the sums of four rows, m to m + 3, and a column.
    template <class F> BILEVEL_HOST_DEVICE void for_each_four(const sums& s, int thread, const F& f) const {
        BILEVEL_UNROLL
        for (int number = 0; number < RowsOfThread / 4 * ColumnsOfThread; ++number) {
            const int i = number / ColumnsOfThread * 4, j = number % ColumnsOfThread;
            const Scalar four[] = {s.of[i][j], s.of[i + 1][j], s.of[i + 2][j], s.of[i + 3][j]};
            f(thread / threads_across * RowsOfThread + i, thread % threads_across * ColumnsOfThread + j, four);
        }
    }

    /// f(m, n, sum) for every sum of the thread.
    template <class F> BILEVEL_HOST_DEVICE void for_each_sum(const sums& s, int thread, const F& f) const {
        for (int i = 0; i < RowsOfThread; ++i)
            for (int j = 0; j < ColumnsOfThread; ++j)
                f(thread / threads_across * RowsOfThread + i, thread % threads_across * ColumnsOfThread + j, s.of[i][j]);
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
