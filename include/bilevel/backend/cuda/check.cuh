// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <string>

namespace bilevel {

/// A call of CUDA or cuBLAS that failed. The message names the call and says what CUDA says.
struct cuda_error : error {
    using error::error;
};

namespace backend::detail {

inline void check(cudaError_t status, const char* call) {
    if (status == cudaSuccess) return;
    (void)cudaGetLastError();  // it would be reported again by the next call
    throw cuda_error(std::string("bilevel: ") + call + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")");
}
inline void check(cublasStatus_t status, const char* call) {
    if (status != CUBLAS_STATUS_SUCCESS) throw cuda_error(std::string("bilevel: ") + call + ": " + cublasGetStatusString(status));
}

}  // namespace backend::detail
}  // namespace bilevel
