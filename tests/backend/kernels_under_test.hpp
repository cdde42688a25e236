// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// The kernels that the conformance suite is compiled for: one executable a backend.
#if defined(BILEVEL_CONFORMANCE_OF_THRUST)
#include <fixtures/thrust.hpp>
#define FLOAT_KERNELS_UNDER_TEST fixture::parallel_thrust<float>
#define KERNELS_UNDER_TEST fixture::parallel_thrust<float>, fixture::sequential_thrust<double>
#else
#include <bilevel/backend/cpu.hpp>
#define FLOAT_KERNELS_UNDER_TEST bilevel::backend::cpu_kernels<float>
#define KERNELS_UNDER_TEST bilevel::backend::cpu_kernels<float>, bilevel::backend::cpu_kernels<double>
#endif
