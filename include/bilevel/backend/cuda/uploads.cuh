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

/// The buffers through which arrays come from the host, and the stream that copies them.
class cuda_uploads {
public:
    explicit cuda_uploads(cudaStream_t stream) : stream_(stream) {}
    cuda_uploads(const cuda_uploads&) = delete;
    cuda_uploads& operator=(const cuda_uploads&) = delete;
    ~cuda_uploads() {
        for (auto& [slot, buffer] : buffers_) buffer.release();
    }

    /// A copy of an array of the host on the device, which stays until the next one into the same slot; it arrives before the next kernel of the stream begins.
    /// An array in pinned memory is read when the stream comes to it, and must stay as it is until the stream has been waited for; any other is copied to such
    /// memory now. An array of the device is taken where it lies, and so is an empty one, which may be null.
    const void* upload(integer slot, const void* from, std::size_t bytes) {
        if (bytes == 0) return from;
        const cudaMemoryType kind = kind_of(from);
        if (kind == cudaMemoryTypeDevice) return from;
        buffer& to = buffers_[slot];
        to.reserve(bytes, stream_);
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

private:
    struct buffer {
        void *pinned = nullptr, *device = nullptr;
        std::size_t bytes = 0;
        cudaEvent_t sent = nullptr;

        void reserve(std::size_t wanted, cudaStream_t stream) {
            if (sent != nullptr) {
                if (wanted <= bytes) return;
                detail::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");  // kernels may still read it
            }
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

    cudaStream_t stream_;
    std::map<integer, buffer> buffers_;
};

}  // namespace bilevel::backend
