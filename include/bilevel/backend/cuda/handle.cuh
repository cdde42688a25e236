// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/memory.cuh>
#include <bilevel/core/integer.hpp>

#include <cstddef>
#include <cstring>
#include <map>

namespace bilevel::backend {

/// What a backend owns of the device: a stream, on which all of its kernels run one after another, cuBLAS with a workspace of its own, so that it takes no
/// memory inside a step and gives the same bits in every run, and the buffers through which arrays come from the host.
class cuda_handle {
public:
    cuda_handle() {
        detail::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
        detail::check(cublasCreate(&blas_), "cublasCreate");
        detail::check(cublasSetStream(blas_, stream_), "cublasSetStream");
        workspace_ = cuda_memory().allocate(workspace_bytes);
        detail::check(cublasSetWorkspace(blas_, workspace_, workspace_bytes), "cublasSetWorkspace");
    }
    cuda_handle(const cuda_handle&) = delete;
    cuda_handle& operator=(const cuda_handle&) = delete;
    ~cuda_handle() {
        (void)cudaStreamSynchronize(stream_);
        (void)cublasDestroy(blas_);
        cuda_memory().deallocate(workspace_, workspace_bytes);
        for (auto& [slot, buffer] : buffers_) buffer.release();
        (void)cudaStreamDestroy(stream_);
    }

    cudaStream_t stream() const { return stream_; }
    cublasHandle_t blas() const { return blas_; }
    void wait() const { detail::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

    /// A copy of an array of the host on the device, which stays until the next one into the same slot; it arrives before the next kernel begins. An array in
    /// pinned memory is read when the stream comes to it, and must stay as it is until the next `wait`; any other is copied to such memory now. An array of the
    /// device is taken where it lies.
    const void* upload(integer slot, const void* from, std::size_t bytes) {
        const cudaMemoryType kind = kind_of(from);
        if (kind == cudaMemoryTypeDevice) return from;
        buffer& to = buffers_[slot];
        to.reserve(bytes);
        if (kind != cudaMemoryTypeHost) {
            // The one before may still be under way.
            detail::check(cudaEventSynchronize(to.sent), "cudaEventSynchronize");
            std::memcpy(to.staging(), from, bytes);
            from = to.pinned;
        }
        detail::check(cudaMemcpyAsync(to.device, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
        detail::check(cudaEventRecord(to.sent, stream_), "cudaEventRecord");
        return to.device;
    }
    void download(void* to, const void* from, std::size_t bytes) {
        detail::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "cudaMemcpyAsync");
        wait();
    }

private:
    static constexpr std::size_t workspace_bytes = std::size_t{32} << 20;  // what cuBLAS recommends for Hopper

    struct buffer {
        void *pinned = nullptr, *device = nullptr;
        std::size_t bytes = 0;
        cudaEvent_t sent = nullptr;

        void reserve(std::size_t wanted) {
            if (sent != nullptr && wanted <= bytes) return;
            release();
            detail::check(cudaEventCreateWithFlags(&sent, cudaEventDisableTiming), "cudaEventCreateWithFlags");
            device = cuda_memory().allocate(wanted);
            bytes = wanted;
        }
        void* staging() {
            if (pinned == nullptr) pinned = cuda_pinned_memory().allocate(bytes);
            return pinned;
        }
        void release() {
            if (sent != nullptr) (void)cudaEventSynchronize(sent);
            if (device != nullptr) cuda_memory().deallocate(device, bytes);
            if (pinned != nullptr) cuda_pinned_memory().deallocate(pinned, bytes);
            if (sent != nullptr) (void)cudaEventDestroy(sent);
            *this = {};
        }
    };

    static cudaMemoryType kind_of(const void* data) {
        cudaPointerAttributes attributes{};
        detail::check(cudaPointerGetAttributes(&attributes, data), "cudaPointerGetAttributes");
        return attributes.type;
    }

    cudaStream_t stream_ = nullptr;
    cublasHandle_t blas_ = nullptr;
    void* workspace_ = nullptr;
    std::map<integer, buffer> buffers_;
};

}  // namespace bilevel::backend
