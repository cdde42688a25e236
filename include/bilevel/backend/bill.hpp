// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace bilevel::backend {

/// What one reading of a program costs, as the kernels of `cost` count it.
struct bill {
    double flops;          // floating-point operations, a multiplication and an addition being two
    double bytes;          // read and written by the kernels
    std::size_t values;    // bytes of workspace for the values
    std::size_t tangents;  // and for the tangents
};

}  // namespace bilevel::backend
