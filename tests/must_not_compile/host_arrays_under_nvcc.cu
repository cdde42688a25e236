// expect: bilevel: nvcc compiles backend::thrust for arrays of a device alone
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda/arrays.cuh>
#include <bilevel/backend/host_arrays.hpp>
#include <bilevel/backend/thrust.hpp>

#include <thrust/system/cuda/execution_policy.h>

#include <type_traits>

using policy = std::remove_cvref_t<decltype(thrust::cuda::par)>;
#ifdef BILEVEL_CONTROL
using arrays = bilevel::backend::cuda_arrays;
#else
using arrays = bilevel::backend::host_arrays;
#endif

void construct(const arrays& in) { bilevel::backend::thrust<policy, float, arrays> on(policy(), in); }
