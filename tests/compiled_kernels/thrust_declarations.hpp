// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The same for the thrust backend, and for the products of the cuda backend as far as a host runs them.
#pragma once

#include <compiled_kernels/declarations.hpp>

#include <fixtures/guarded_memory.hpp>
#include <fixtures/tiles.hpp>

#define BILEVEL_THRUST_KERNELS(PREFIX, KERNELS, SCALAR)                                      \
    PREFIX template struct bilevel::backend::thrust_activation<KERNELS, SCALAR>;             \
    PREFIX template struct bilevel::backend::thrust_batch_norm<KERNELS, SCALAR>;             \
    PREFIX template struct bilevel::backend::thrust_bias<KERNELS, SCALAR>;                   \
    PREFIX template struct bilevel::backend::thrust_convolution<KERNELS, SCALAR>;            \
    PREFIX template struct bilevel::backend::thrust_convolution_activation<KERNELS, SCALAR>; \
    PREFIX template struct bilevel::backend::thrust_folded<KERNELS, SCALAR>;                 \
    PREFIX template struct bilevel::backend::thrust_gather<KERNELS, SCALAR>;                 \
    PREFIX template struct bilevel::backend::thrust_loss<KERNELS, SCALAR>;                   \
    PREFIX template struct bilevel::backend::thrust_matrix<KERNELS, SCALAR>;                 \
    PREFIX template struct bilevel::backend::thrust_pooling<KERNELS, SCALAR>;                \
    PREFIX template struct bilevel::backend::thrust_vector<KERNELS, SCALAR>;

#define BILEVEL_TILE_PRODUCTS(PREFIX, SCALAR, ARITHMETIC) \
    PREFIX template struct bilevel::backend::tile_products<fixture::tiled_thrust<SCALAR, bilevel::backend::arithmetic::ARITHMETIC>, SCALAR>;

#define BILEVEL_EVERY_THRUST_KERNEL(PREFIX)                                    \
    BILEVEL_THRUST_KERNELS(PREFIX, fixture::parallel_thrust<float>, float)     \
    BILEVEL_THRUST_KERNELS(PREFIX, fixture::parallel_thrust<double>, double)   \
    BILEVEL_THRUST_KERNELS(PREFIX, fixture::sequential_thrust<float>, float)   \
    BILEVEL_THRUST_KERNELS(PREFIX, fixture::sequential_thrust<double>, double) \
    BILEVEL_THRUST_KERNELS(PREFIX, fixture::guarded_kernels<float>, float)
#ifdef BILEVEL_CONFORMANCE_WITHOUT_TENSOR_CORES
#define BILEVEL_EVERY_TILE_PRODUCT(PREFIX)     \
    BILEVEL_TILE_PRODUCTS(PREFIX, float, fp32) \
    BILEVEL_TILE_PRODUCTS(PREFIX, double, fp32)
#else
#define BILEVEL_EVERY_TILE_PRODUCT(PREFIX)      \
    BILEVEL_TILE_PRODUCTS(PREFIX, float, fp32)  \
    BILEVEL_TILE_PRODUCTS(PREFIX, double, fp32) \
    BILEVEL_TILE_PRODUCTS(PREFIX, float, tf32)  \
    BILEVEL_TILE_PRODUCTS(PREFIX, float, three_tf32)
#endif

BILEVEL_EVERY_THRUST_KERNEL(extern)
BILEVEL_EVERY_TILE_PRODUCT(extern)
