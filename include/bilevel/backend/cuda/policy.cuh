// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/memory.cuh>
#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/integer.hpp>

#include <thrust/version.h>
// nvcc looks for its own last, behind the folder of Eigen, where an older one may lie.
#if THRUST_MAJOR_VERSION < 2
#error "bilevel: nvcc found a Thrust older than that of CUDA 12 or 13: put the toolkit's folder before its folder"
#endif

#include <thrust/iterator/counting_iterator.h>
#include <thrust/memory.h>
#include <thrust/system/cuda/execution_policy.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace bilevel::backend {

/// Thrust's device system on a stream, with a `for_each_n` of our own, which Thrust finds by the policy's type: one call a thread and no bound on registers but the
/// device's, where CUB's, made for many calls a thread, lets some of our functions spill. It never waits; throws std::length_error for 2³² calls or more.
struct cuda_policy : ::thrust::cuda::execution_policy<cuda_policy> {
    cudaStream_t stream = nullptr;
    explicit cuda_policy(cudaStream_t on) : stream(on) {}
};

namespace detail {
constexpr int threads_of_call_each = 256;
/// Blocks for which a multiprocessor's registers shall be enough, 0 where that is left to the compiler: it would keep two sums of doubles in memory to go with 32
/// registers, of which three blocks leave 80.
template <class F> constexpr int least_blocks_of = 0;
template <class Term> constexpr int least_blocks_of<on_device::by_task<on_device::partial_sum<on_device::two_sums<double>, Term>>> = 3;
template <class F> __global__ void __launch_bounds__(threads_of_call_each, least_blocks_of<F>) call_each(unsigned count, const F f) {
    const unsigned i = blockIdx.x * threads_of_call_each + threadIdx.x;
    if (i < count) f(static_cast<integer>(i));
}
}  // namespace detail

template <class Size, class F>
::thrust::counting_iterator<integer> for_each_n(cuda_policy& policy, ::thrust::counting_iterator<integer> first, Size count, F f) {
    if (static_cast<std::uint64_t>(count) > std::numeric_limits<unsigned>::max())
        throw std::length_error("bilevel: a kernel of 2^32 calls or more");
    if (count > 0) {
        const unsigned blocks = (static_cast<unsigned>(count) - 1) / detail::threads_of_call_each + 1;
        detail::call_each<<<blocks, detail::threads_of_call_each, 0, policy.stream>>>(static_cast<unsigned>(count), f);
        detail::check(cudaGetLastError(), "the launch of a kernel");
    }
    return first + count;
}

/// What Thrust finds for its memory on the device: a failure is a `cuda_error`, as everywhere else. Kernels that were launched may still use what is freed.
inline ::thrust::pointer<void, cuda_policy> malloc(cuda_policy&, std::size_t bytes) {
    return ::thrust::pointer<void, cuda_policy>(cuda_memory().allocate(bytes));
}
template <class Pointer> void free(cuda_policy& policy, Pointer data) {
    (void)cudaStreamSynchronize(policy.stream);
    cuda_memory().deallocate(::thrust::raw_pointer_cast(data), 0);
}

}  // namespace bilevel::backend
