// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The kernels of the host's backends are compiled in the units of this folder, once and optimised, and in no other unit of the tests: this is included
// first in each of them, by their command line. What is left of them then needs no optimisation, and a quarter of the time to compile or less. It has what
// trains in it too, since most of them include that, and it is precompiled.
#pragma once

#include <bilevel/autodiff/dual.hpp>
#include <bilevel/bilevel.hpp>

// PREFIX is `extern` for a declaration, nothing for a definition.
#define BILEVEL_CPU_KERNELS(PREFIX, SCALAR)                                     \
    PREFIX template class bilevel::backend::cpu_activation<SCALAR>;             \
    PREFIX template class bilevel::backend::cpu_batch_norm<SCALAR>;             \
    PREFIX template struct bilevel::backend::cpu_bias<SCALAR>;                  \
    PREFIX template class bilevel::backend::cpu_convolution<SCALAR>;            \
    PREFIX template class bilevel::backend::cpu_convolution_activation<SCALAR>; \
    PREFIX template class bilevel::backend::cpu_matrix<SCALAR>;                 \
    PREFIX template class bilevel::backend::cpu_pooling<SCALAR>;                \
    PREFIX template class bilevel::backend::cpu_vector<SCALAR>;

#define BILEVEL_REFERENCE_KERNELS(PREFIX, SCALAR)                                      \
    PREFIX template struct bilevel::backend::reference_activation<SCALAR>;             \
    PREFIX template struct bilevel::backend::reference_batch_norm<SCALAR>;             \
    PREFIX template struct bilevel::backend::reference_bias<SCALAR>;                   \
    PREFIX template struct bilevel::backend::reference_convolution<SCALAR>;            \
    PREFIX template struct bilevel::backend::reference_convolution_activation<SCALAR>; \
    PREFIX template struct bilevel::backend::reference_folded<SCALAR>;                 \
    PREFIX template struct bilevel::backend::reference_gather<SCALAR>;                 \
    PREFIX template struct bilevel::backend::reference_loss<SCALAR>;                   \
    PREFIX template struct bilevel::backend::reference_matrix<SCALAR>;                 \
    PREFIX template struct bilevel::backend::reference_pooling<SCALAR>;                \
    PREFIX template struct bilevel::backend::reference_vector<SCALAR>;

BILEVEL_CPU_KERNELS(extern, float)
BILEVEL_CPU_KERNELS(extern, double)
BILEVEL_REFERENCE_KERNELS(extern, float)
BILEVEL_REFERENCE_KERNELS(extern, double)
BILEVEL_REFERENCE_KERNELS(extern, long double)
BILEVEL_REFERENCE_KERNELS(extern, bilevel::dual<double>)
