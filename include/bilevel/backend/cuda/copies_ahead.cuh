// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/stream.cuh>
#include <bilevel/backend/cuda/uploads.cuh>
#include <bilevel/core/integer.hpp>

#include <cstddef>
#include <mutex>

namespace bilevel::backend {

/// Copies of arrays of the host on the device that are made beside whatever kernels run: on a stream of its own.
class cuda_copies_ahead {
public:
    cuda_copies_ahead() = default;
    cuda_copies_ahead(const cuda_copies_ahead&) = delete;
    cuda_copies_ahead& operator=(const cuda_copies_ahead&) = delete;

    /// The copy stays until the next one into the same slot. The calling thread, which may be any, waits until it has arrived.
    const void* copy(integer slot, const void* from, std::size_t bytes) {
        const std::lock_guard<std::mutex> one_at_a_time(mutex_);
        const current within(device_);
        const void* const to = uploads_.upload(slot, from, bytes);
        stream_.wait();
        return to;
    }

private:
    static int current_device() {
        int device = 0;
        detail::check(cudaGetDevice(&device), "cudaGetDevice");
        return device;
    }
    // Each thread has a current device of its own, which stays that of the caller.
    class current {
    public:
        explicit current(int device) : before_(current_device()), is_another_(device != before_) {
            if (is_another_) detail::check(cudaSetDevice(device), "cudaSetDevice");
        }
        current(const current&) = delete;
        current& operator=(const current&) = delete;
        ~current() {
            if (is_another_) (void)cudaSetDevice(before_);
        }

    private:
        int before_;
        bool is_another_;
    };

    std::mutex mutex_;
    int device_ = current_device();
    cuda_stream stream_;
    cuda_uploads uploads_{stream_};
};

}  // namespace bilevel::backend
