// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/matrix_product.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Matrix products, task by task, by `matrix_product`; see `matrix_kernels` in primitives.hpp.
template <class Scalar> class cpu_matrix {
public:
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        if (!accumulate) clear(y);
        for (integer t = 0; t < y.tasks; ++t) product_.add(y.at(t), x.at(t), w.at(t), y.batch, x.size, y.size);
    }
    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        if (!accumulate) clear(dx);
        for (integer t = 0; t < dx.tasks; ++t) product_.add_by_transposed(dx.at(t), dy.at(t), w.at(t), dx.batch, dx.size, dy.size);
    }
    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        if (!accumulate) clear(dw);
        for (integer t = 0; t < dw.tasks; ++t) product_.add_transposed_by(dw.at(t), x.at(t), dy.at(t), x.batch, x.size, dy.size);
    }

protected:
    static void clear(view<Scalar> y) {
        for (integer t = 0; t < y.tasks; ++t) std::fill_n(y.at(t), y.batch * y.size, Scalar(0));
    }

    matrix_product<Scalar> product_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
