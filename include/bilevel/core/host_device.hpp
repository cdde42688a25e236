// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// In front of what a device runs too: under nvcc the two attributes, elsewhere nothing.
#if defined(__CUDACC__)
#define BILEVEL_HOST_DEVICE __host__ __device__
#else
#define BILEVEL_HOST_DEVICE
#endif

// Between the captures and the parameters of a lambda that is a kernel: under nvcc the device's attribute, elsewhere nothing. Never both attributes: nvcc hides a
// lambda of host and device behind pointers to functions that every translation unit keeps and sets for itself, and where several units instantiate one template
// the linker takes the copy of a unit whose pointers may be null. What runs on both sides is a class.
#if defined(__CUDACC__)
#define BILEVEL_DEVICE __device__
#else
#define BILEVEL_DEVICE
#endif

// In front of a loop over what a thread of a device keeps in registers, which have no addresses.
#if defined(__CUDA_ARCH__)
#define BILEVEL_UNROLL _Pragma("unroll")
#else
#define BILEVEL_UNROLL
#endif
