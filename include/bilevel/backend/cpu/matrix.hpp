// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/matrix_product.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Matrix products by `matrix_product`; see `matrix_kernels` in primitives.hpp.
template <class Scalar> class cpu_matrix : public virtual shared_among_threads {
public:
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        product_.multiply(*this, y, x, w, {y.batch, x.size, y.size}, accumulate);
    }
    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        product_.multiply_by_transposed(*this, dx, dy, w, {dx.batch, dx.size, dy.size}, accumulate);
    }
    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        product_.multiply_transposed(*this, dw, x, dy, {x.batch, x.size, dy.size}, accumulate);
    }

private:
    matrix_product<Scalar> product_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
