// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/handle.cuh>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

#include <type_traits>

namespace bilevel::backend {

/// Who multiplies matrices on the device.
enum class matrix_products {
    tiles,  // our tiles: a task has the same bits alone and together with others
    cublas  // cuBLAS's strided-batched GEMM in FP32, whose choice of a kernel depends on how many tasks there are
};

inline namespace BILEVEL_INSTRUCTION_SET {

/// Matrix products by cuBLAS, one call for all tasks; see `matrix_kernels` in primitives.hpp. Kernels offers device(), the handle. What lies by rows here lies
/// by columns there, transposed: y = x w becomes yᵀ = wᵀ xᵀ.
template <class Kernels, class Scalar> struct blas_products {
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        gemm(CUBLAS_OP_N, CUBLAS_OP_N, {y.size, x.batch, x.size}, {w.data, y.size, w.stride}, {x.data, x.size, x.stride}, y, y.size,
             accumulate);
    }
    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        gemm(CUBLAS_OP_T, CUBLAS_OP_N, {dx.size, dy.batch, dy.size}, {w.data, dy.size, w.stride}, {dy.data, dy.size, dy.stride}, dx,
             dx.size, accumulate);
    }
    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        gemm(CUBLAS_OP_N, CUBLAS_OP_T, {dy.size, x.size, x.batch}, {dy.data, dy.size, dy.stride}, {x.data, x.size, x.stride}, dw, dy.size,
             accumulate);
    }

private:
    struct extents {
        integer rows, columns, terms;
    };
    struct matrix {
        const Scalar* data;
        integer leading, stride;
    };
    void gemm(cublasOperation_t of_a, cublasOperation_t of_b, extents e, matrix a, matrix b, view<Scalar> c, integer leading,
              bool accumulate) {
        const cublasHandle_t blas = static_cast<Kernels&>(*this).device().blas();
        const Scalar one(1), factor(accumulate ? 1 : 0);
        const auto number = [](integer n) { return static_cast<int>(n); };
        const auto call = [&](auto function) {
            return function(blas, of_a, of_b, number(e.rows), number(e.columns), number(e.terms), &one, a.data, number(a.leading), a.stride,
                            b.data, number(b.leading), b.stride, &factor, c.data, number(leading), c.stride, number(c.tasks));
        };
        if constexpr (std::is_same_v<Scalar, float>) {
            detail::check(call(cublasSgemmStridedBatched), "cublasSgemmStridedBatched");
        } else {
            detail::check(call(cublasDgemmStridedBatched), "cublasDgemmStridedBatched");
        }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
