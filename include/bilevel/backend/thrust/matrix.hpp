// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>
#ifndef __CUDACC__
#include <bilevel/core/eigen.hpp>
#endif

#include <algorithm>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

#if defined(__CUDACC__)
/// Those of a device are tiles or cuBLAS, both in `backend::cuda`.
template <class Kernels, class Scalar> struct thrust_matrix {};
#else
/// Matrix products by Eigen, one call for each block of the result; see `matrix_kernels` in primitives.hpp. The blocks follow from the extents alone, and in each
/// the terms are added in order.
template <class Kernels, class Scalar> struct thrust_matrix {
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        multiply(
            y.tasks, {y.batch, y.size, x.size}, accumulate, [=](integer t) { return matrix(y.at(t), y.batch, y.size); },
            [=](integer t) { return matrix(x.at(t), x.batch, x.size); }, [=](integer t) { return matrix(w.at(t), x.size, y.size); });
    }

    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        multiply(
            dx.tasks, {dx.batch, dx.size, dy.size}, accumulate, [=](integer t) { return matrix(dx.at(t), dx.batch, dx.size); },
            [=](integer t) { return matrix(dy.at(t), dy.batch, dy.size); },
            [=](integer t) { return matrix(w.at(t), dx.size, dy.size).transpose(); });
    }

    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        multiply(
            dw.tasks, {x.size, dy.size, x.batch}, accumulate, [=](integer t) { return matrix(dw.at(t), x.size, dy.size); },
            [=](integer t) { return matrix(x.at(t), x.batch, x.size).transpose(); },
            [=](integer t) { return matrix(dy.at(t), dy.batch, dy.size); });
    }

private:
    struct extents {
        integer rows, columns, terms;
    };
    // Of one product: what Eigen copies for it stays on the stack, and it is too little work (two times 50 000) for Eigen's own threads, whose number
    // would be in the bits.
    static constexpr extents largest{32, 48, 64};
    static_assert(largest.columns * largest.terms * integer{sizeof(double)} <= EIGEN_STACK_ALLOCATION_LIMIT);
    static_assert(largest.rows * largest.columns * largest.terms < 100000);
    // With fewer rows, columns and terms in all, Eigen takes coefficients one by one or by vectors as they happen to be aligned.
    static constexpr integer least = 20;

    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }

    template <class T> static auto matrix(T* data, integer rows, integer columns) {
        using by_rows = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        return Eigen::Map<std::conditional_t<std::is_const_v<T>, const by_rows, by_rows>>(data, rows, columns);
    }

    /// result(t) = left(t) right(t) for every task, or added to what is there.
    template <class Result, class Left, class Right>
    void multiply(integer tasks, const extents& all, bool accumulate, Result result, Left left, Right right) {
        const integer across = (all.columns + largest.columns - 1) / largest.columns, down = (all.rows + largest.rows - 1) / largest.rows;
        launcher().for_each_element(tasks, down * across, [=](integer t, integer i) {
            const integer row = i / across * largest.rows, column = i % across * largest.columns;
            const integer rows = std::min(largest.rows, all.rows - row), columns = std::min(largest.columns, all.columns - column);
            auto whole = result(t);
            auto sum = whole.block(row, column, rows, columns);
            if (!accumulate) sum.setZero();
            for (integer term = 0; term < all.terms; term += largest.terms) {
                const integer terms = std::min(largest.terms, all.terms - term);
                const auto of_left = left(t);
                const auto of_right = right(t);
                const auto a = of_left.block(row, term, rows, terms);
                const auto b = of_right.block(term, column, terms, columns);
                if (rows + columns + terms >= least) {
                    sum.noalias() += a * b;
                } else {
                    for (integer p = 0; p < terms; ++p)
                        for (integer r = 0; r < rows; ++r)
                            for (integer q = 0; q < columns; ++q) sum(r, q) += a(r, p) * b(p, q);
                }
            }
        });
    }
};
#endif

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
