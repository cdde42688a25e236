// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Matrix products, one call for each element of the result; see `matrix_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_matrix {
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar *const row = x.at(t, i / y.size), *const column = w.at(t) + i % y.size;
            Scalar sum(0);
            for (integer p = 0; p < x.size; ++p) sum += row[p] * column[p * y.size];
            y.at(t)[i] = accumulate ? y.at(t)[i] + sum : sum;
        });
    }

    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar *const left = dy.at(t, i / dx.size), *const right = w.at(t) + i % dx.size * dy.size;
            Scalar sum(0);
            for (integer q = 0; q < dy.size; ++q) sum += left[q] * right[q];
            dx.at(t)[i] = accumulate ? dx.at(t)[i] + sum : sum;
        });
    }

    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        launcher().for_each_element(dw.tasks, x.size * dy.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar *const left = x.at(t) + i / dy.size, *const right = dy.at(t) + i % dy.size;
            Scalar sum(0);
            for (integer b = 0; b < x.batch; ++b) sum += left[b * x.size] * right[b * dy.size];
            dw.at(t)[i] = accumulate ? dw.at(t)[i] + sum : sum;
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
