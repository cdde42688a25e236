// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <compiled_kernels/declarations.hpp>

BILEVEL_REFERENCE_KERNELS(, float)
BILEVEL_REFERENCE_KERNELS(, double)
BILEVEL_REFERENCE_KERNELS(, long double)
BILEVEL_REFERENCE_KERNELS(, bilevel::dual<double>)
