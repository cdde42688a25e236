// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/memory.cuh>
#include <bilevel/backend/cuda/stream.cuh>
#include <bilevel/backend/cuda/uploads.cuh>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/workspace.hpp>

#include <cstddef>

namespace bilevel::backend {

/// What a backend owns of the device: a stream, on which all of its kernels run one after another, cuBLAS with a workspace of its own, so that it takes no
/// memory inside a step and gives the same bits in every run, and the buffers through which arrays come from the host.
class cuda_handle {
public:
    cuda_handle() {
        detail::check(cublasSetStream(blas(), stream_), "cublasSetStream");
        detail::check(cublasSetWorkspace(blas(), workspace_.take<std::byte>(workspace_bytes), workspace_bytes), "cublasSetWorkspace");
    }
    cuda_handle(const cuda_handle&) = delete;
    cuda_handle& operator=(const cuda_handle&) = delete;
    ~cuda_handle() { (void)cudaStreamSynchronize(stream_); }

    cudaStream_t stream() const { return stream_; }
    cublasHandle_t blas() const { return blas_.handle; }
    void wait() const { stream_.wait(); }

    /// See `cuda_uploads::upload`.
    const void* upload(integer slot, const void* from, std::size_t bytes) { return uploads_.upload(slot, from, bytes); }
    void download(void* to, const void* from, std::size_t bytes) {
        detail::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "cudaMemcpyAsync");
        wait();
    }

private:
    static constexpr std::size_t workspace_bytes = std::size_t{32} << 20;  // what cuBLAS recommends for Hopper

    struct cublas {
        cublasHandle_t handle = nullptr;

        cublas() { detail::check(cublasCreate(&handle), "cublasCreate"); }
        cublas(const cublas&) = delete;
        cublas& operator=(const cublas&) = delete;
        ~cublas() { (void)cublasDestroy(handle); }
    };

    // Each releases what it has, also where what comes after it fails; cuBLAS goes before its workspace.
    cuda_stream stream_;
    cuda_uploads uploads_{stream_};
    workspace workspace_{workspace_bytes, cuda_memory()};
    cublas blas_;
};

}  // namespace bilevel::backend
