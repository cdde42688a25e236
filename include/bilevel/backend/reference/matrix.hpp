// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Matrix products by plain loops; see `matrix_kernels` in primitives.hpp.
template <class Scalar> struct reference_matrix {
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b)
                for (integer q = 0; q < y.size; ++q) {
                    Scalar sum(0);
                    for (integer p = 0; p < x.size; ++p) sum += x.at(t, b)[p] * w.at(t)[p * y.size + q];
                    put(y.at(t, b)[q], sum, accumulate);
                }
    }

    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        for (integer t = 0; t < dx.tasks; ++t)
            for (integer b = 0; b < dx.batch; ++b)
                for (integer p = 0; p < dx.size; ++p) {
                    Scalar sum(0);
                    for (integer q = 0; q < dy.size; ++q) sum += dy.at(t, b)[q] * w.at(t)[p * dy.size + q];
                    put(dx.at(t, b)[p], sum, accumulate);
                }
    }

    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        for (integer t = 0; t < dw.tasks; ++t)
            for (integer p = 0; p < x.size; ++p)
                for (integer q = 0; q < dy.size; ++q) {
                    Scalar sum(0);
                    for (integer b = 0; b < x.batch; ++b) sum += x.at(t, b)[p] * dy.at(t, b)[q];
                    put(dw.at(t)[p * dy.size + q], sum, accumulate);
                }
    }

private:
    static void put(Scalar& out, Scalar value, bool accumulate) { out = accumulate ? out + value : value; }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
