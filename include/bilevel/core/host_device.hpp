// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// In front of what a device runs too: under nvcc the two attributes, elsewhere nothing. Lambdas take it between captures and parameters.
#if defined(__CUDACC__)
#define BILEVEL_HOST_DEVICE __host__ __device__
#else
#define BILEVEL_HOST_DEVICE
#endif

// In front of a loop over what a thread of a device keeps in registers, which have no addresses.
#if defined(__CUDA_ARCH__)
#define BILEVEL_UNROLL _Pragma("unroll")
#else
#define BILEVEL_UNROLL
#endif
