// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/core/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace bilevel::backend {

/// The memory of the device, which kernels alone touch.
inline memory& cuda_memory() {
    static class final_memory final : public memory {
        void* allocate(std::size_t bytes) override {
            void* data = nullptr;
            detail::check(cudaMalloc(&data, std::max(bytes, alignment)), "cudaMalloc");
            return data;
        }
        void deallocate(void* data, std::size_t) noexcept override { (void)cudaFree(data); }
        void clear(void* data, std::size_t bytes) override {
            // On a stream of the calling thread: to wait for the whole device is forbidden while another thread records a graph.
            detail::check(cudaMemsetAsync(data, 0, bytes, cudaStreamPerThread), "cudaMemsetAsync");
            detail::check(cudaStreamSynchronize(cudaStreamPerThread), "cudaStreamSynchronize");
        }
    } of_device;
    return of_device;
}

/// Pinned memory of the host, for batches: a device copies from it without another copy before (`cuda_handle::upload`).
inline memory& cuda_pinned_memory() {
    static class final_memory final : public memory {
        void* allocate(std::size_t bytes) override {
            void* data = nullptr;
            detail::check(cudaHostAlloc(&data, std::max(bytes, alignment), cudaHostAllocDefault), "cudaHostAlloc");
            return data;
        }
        void deallocate(void* data, std::size_t) noexcept override { (void)cudaFreeHost(data); }
        void clear(void* data, std::size_t bytes) override { std::memset(data, 0, bytes); }
    } pinned;
    return pinned;
}

/// Memory that the host and the device share. What the host reads after every step is small and lies on the host, where kernels write to it through the bus;
/// what is large (a state) moves to whoever touches it, and stays with the device during a training.
inline memory& cuda_shared_memory() {
    constexpr std::size_t smallest_that_moves = std::size_t{1} << 16;
    static class final_memory final : public memory {
        void* allocate(std::size_t bytes) override {
            if (bytes < smallest_that_moves) return cuda_pinned_memory().allocate(bytes);
            void* data = nullptr;
            detail::check(cudaMallocManaged(&data, bytes), "cudaMallocManaged");
            return data;
        }
        void deallocate(void* data, std::size_t bytes) noexcept override {
            if (bytes < smallest_that_moves) return cuda_pinned_memory().deallocate(data, bytes);
            (void)cudaFree(data);
        }
        void clear(void* data, std::size_t bytes) override { std::memset(data, 0, bytes); }
    } of_both;
    return of_both;
}

}  // namespace bilevel::backend
