// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/warp_product.cuh>
#include <bilevel/backend/instruction_set.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

namespace on_device {
/// One block a tile; while the threads multiply a slab, the next one is on its way from memory.
template <class Product> __global__ void __launch_bounds__(Product::threads) run_tile(const Product product) {
    __shared__ typename Product::slab shared;
    const int thread = static_cast<int>(threadIdx.x);
    const typename Product::place at{static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z)};
    typename Product::state state;
    const warp_product warp;
    product.begin(state, at, thread);
    product.fetch(state, at, thread, 0);
    for (int slab = 0, slabs = product.slabs(); slab < slabs; ++slab) {
        product.share(state, shared, thread);
        __syncthreads();
        if (slab + 1 < slabs) product.fetch(state, at, thread, slab + 1);
        product.multiply(state, shared, thread, warp);
        __syncthreads();
    }
    product.end(state, at, thread);
}
}  // namespace on_device

/// Runs a `tile_product` on a stream.
struct cuda_tiles {
    cudaStream_t stream;

    template <class Product> void run(const Product& product, int tasks) const {
        constexpr int most_tasks = 65535;  // of a grid
        if (tasks > most_tasks) throw cuda_error("bilevel: a product of more than 65535 tasks at a time");
        const dim3 grid(static_cast<unsigned>(product.tiles()), static_cast<unsigned>(product.splits), static_cast<unsigned>(tasks));
        on_device::run_tile<Product><<<grid, Product::threads, 0, stream>>>(product);
        detail::check(cudaGetLastError(), "the launch of a product by tiles");
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
