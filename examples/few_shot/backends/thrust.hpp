// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust.hpp>

#if defined(_OPENMP)
#include <thrust/system/omp/execution_policy.h>
#else
#include <thrust/system/cpp/execution_policy.h>
#endif

namespace few_shot {
#if defined(_OPENMP)
using on_thrust = bilevel::backend::thrust<decltype(::thrust::omp::par), float>;
#else
using on_thrust = bilevel::backend::thrust<decltype(::thrust::cpp::par), float>;
#endif
}// namespace few_shot
