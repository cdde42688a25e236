// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The functions of cuBLAS that the library calls.
#include "kernel.hpp"
#include "memory.hpp"
#include "streams.hpp"

#include <cublas_v2.h>

#include <cstdint>

namespace {
using namespace emulated;

struct library {
    cudaStream_t stream = nullptr;
};

template <class Scalar> struct matrix {
    Scalar* data;
    std::int64_t leading;
    long long stride;
    bool is_transposed;

    std::uint64_t at(int task, int row, int column) const {
        const std::int64_t offset = is_transposed ? column + row * leading : row + column * leading;
        return reinterpret_cast<std::uint64_t>(data + task * stride + offset);
    }
};

template <class Scalar>
cublasStatus_t multiply(cublasHandle_t handle, int rows, int columns, int terms, Scalar factor, matrix<const Scalar> a,
                        matrix<const Scalar> b, Scalar before, matrix<Scalar> c, int tasks) {
    if (a.leading < (a.is_transposed ? terms : rows) || b.leading < (b.is_transposed ? columns : terms) || c.leading < rows)
        return CUBLAS_STATUS_INVALID_VALUE;
    enqueue(reinterpret_cast<library*>(handle)->stream, [=] {
        begin_kernel("cuBLAS");
        thread by{};
        for (int t = 0; t < tasks; ++t)
            for (int n = 0; n < columns; ++n)
                for (int m = 0; m < rows; ++m) {
                    ++by.number;
                    Scalar sum = 0;
                    for (int k = 0; k < terms; ++k) sum += ld_global<Scalar>(by, a.at(t, m, k)) * ld_global<Scalar>(by, b.at(t, k, n));
                    const std::uint64_t to = c.at(t, m, n);
                    st_global<Scalar>(by, to, factor * sum + (before == 0 ? Scalar(0) : before * ld_global<Scalar>(by, to)));
                }
        end_kernel();
    });
    return CUBLAS_STATUS_SUCCESS;
}
}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    *handle = reinterpret_cast<cublasHandle_t>(new library);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    delete reinterpret_cast<library*>(handle);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    reinterpret_cast<library*>(handle)->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t, void*, std::size_t) { return CUBLAS_STATUS_SUCCESS; }

#define BILEVEL_STRIDED_BATCHED(NAME, SCALAR)                                                                                     \
    cublasStatus_t NAME(cublasHandle_t handle, cublasOperation_t of_a, cublasOperation_t of_b, int rows, int columns, int terms,  \
                        const SCALAR* factor, const SCALAR* a, int leading_a, long long stride_a, const SCALAR* b, int leading_b, \
                        long long stride_b, const SCALAR* before, SCALAR* c, int leading_c, long long stride_c, int tasks) {      \
        return multiply<SCALAR>(handle, rows, columns, terms, *factor, {a, leading_a, stride_a, of_a != CUBLAS_OP_N},             \
                                {b, leading_b, stride_b, of_b != CUBLAS_OP_N}, *before, {c, leading_c, stride_c, false}, tasks);  \
    }
BILEVEL_STRIDED_BATCHED(cublasSgemmStridedBatched, float)
BILEVEL_STRIDED_BATCHED(cublasDgemmStridedBatched, double)
#undef BILEVEL_STRIDED_BATCHED
}
