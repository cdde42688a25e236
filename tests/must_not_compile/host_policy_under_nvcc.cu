// expect: bilevel: nvcc compiles backend::thrust for a device's policy alone
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda/arrays.cuh>
#include <bilevel/backend/thrust.hpp>

#include <thrust/system/cpp/execution_policy.h>
#include <thrust/system/cuda/execution_policy.h>

#include <type_traits>

#ifdef BILEVEL_CONTROL
using policy = std::remove_cvref_t<decltype(thrust::cuda::par)>;
#else
using policy = std::remove_cvref_t<decltype(thrust::cpp::par)>;
#endif
using arrays = bilevel::backend::cuda_arrays;

void construct(const arrays& in) { bilevel::backend::thrust<policy, float, arrays> on(policy(), in); }
