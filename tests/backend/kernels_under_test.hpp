// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// The kernels that the conformance suite is compiled for, one executable a backend; for convolutions and matrix products there may be more of them, and for convolutions
// more still.
#if defined(BILEVEL_CONFORMANCE_OF_CUDA)
#include <cuda/host_visible.cuh>
#define FLOAT_KERNELS_UNDER_TEST fixture::host_visible_cuda<float>
#define KERNELS_UNDER_TEST fixture::host_visible_cuda<float>, fixture::host_visible_cuda<double>
#define PRODUCT_KERNELS_UNDER_TEST                                                             \
    KERNELS_UNDER_TEST, fixture::host_visible_cuda<float, bilevel::backend::arithmetic::tf32>, \
        fixture::host_visible_cuda<float, bilevel::backend::arithmetic::three_tf32>
#ifdef BILEVEL_HAS_CUDNN
#define CONVOLUTION_KERNELS_UNDER_TEST \
    PRODUCT_KERNELS_UNDER_TEST,        \
        fixture::host_visible_cuda<float, bilevel::backend::arithmetic::fp32, bilevel::backend::convolution_products::cudnn>
#endif
#elif defined(BILEVEL_CONFORMANCE_OF_THRUST)
#include <fixtures/tiles.hpp>
#define FLOAT_KERNELS_UNDER_TEST fixture::parallel_thrust<float>
#define KERNELS_UNDER_TEST fixture::parallel_thrust<float>, fixture::sequential_thrust<double>
#define FOLDED_KERNELS_UNDER_TEST KERNELS_UNDER_TEST, fixture::tiled_thrust<float>, fixture::tiled_thrust<double>
#ifdef BILEVEL_CONFORMANCE_WITHOUT_TENSOR_CORES
#define PRODUCT_KERNELS_UNDER_TEST KERNELS_UNDER_TEST, fixture::tiled_thrust<float>, fixture::tiled_thrust<double>
#else
#define PRODUCT_KERNELS_UNDER_TEST                                                   \
    KERNELS_UNDER_TEST, fixture::tiled_thrust<float>, fixture::tiled_thrust<double>, \
        fixture::tiled_thrust<float, bilevel::backend::arithmetic::tf32>,            \
        fixture::tiled_thrust<float, bilevel::backend::arithmetic::three_tf32>
#endif
#else
#include <bilevel/backend/cpu.hpp>
#define FLOAT_KERNELS_UNDER_TEST bilevel::backend::cpu_kernels<float>
#define KERNELS_UNDER_TEST bilevel::backend::cpu_kernels<float>, bilevel::backend::cpu_kernels<double>
#define PRODUCT_KERNELS_UNDER_TEST KERNELS_UNDER_TEST
#endif
#ifndef FOLDED_KERNELS_UNDER_TEST
#define FOLDED_KERNELS_UNDER_TEST KERNELS_UNDER_TEST
#endif
#ifndef CONVOLUTION_KERNELS_UNDER_TEST
#define CONVOLUTION_KERNELS_UNDER_TEST PRODUCT_KERNELS_UNDER_TEST
#endif
