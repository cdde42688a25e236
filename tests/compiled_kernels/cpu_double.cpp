// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <compiled_kernels/declarations.hpp>

BILEVEL_CPU_KERNELS(, double)
