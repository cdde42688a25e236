// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>

namespace bilevel::backend {

/// How the tiles of convolutions and matrix products multiply floats. Tensor cores need a device of compute capability 8.0, and code that is compiled for
/// 8.0 or later (CMAKE_CUDA_ARCHITECTURES).
enum class arithmetic {
    fp32,  // on the FP32 lanes
    tf32,  // on tensor cores, from operands that are rounded to 10 bits behind the point: products with a relative error of up to 2⁻¹⁰
    three_tf32  // on tensor cores with the accuracy of FP32: a b ≈ a_lo b_hi + a_hi b_lo + a_hi b_hi; what is not finite, or rounds to it, may become NaN
};

/// The code that a device runs, of those that a program was compiled to: the latest that is not later than the device, or 0. Numbers as in __CUDA_ARCH__: 800 is
/// compute capability 8.0.
constexpr int architecture_that_runs(std::initializer_list<int> compiled, int device) {
    int latest = 0;
    for (const int one : compiled)
        if (one <= device && one > latest) latest = one;
    return latest;
}

}  // namespace bilevel::backend
