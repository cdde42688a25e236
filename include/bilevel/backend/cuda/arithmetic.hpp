// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

namespace bilevel::backend {

/// How the tiles of convolutions and matrix products multiply floats. Tensor cores need a device of compute capability 8.0, and code that is compiled for
/// 8.0 or later (CMAKE_CUDA_ARCHITECTURES).
enum class arithmetic {
    fp32,  // on the FP32 lanes
    tf32,  // on tensor cores, from operands that are rounded to 10 bits behind the point: products with a relative error of up to 2⁻¹⁰
    three_tf32  // on tensor cores with the accuracy of FP32: a b ≈ a_lo b_hi + a_hi b_lo + a_hi b_hi; what is not finite, or rounds to it, may become NaN
};

}  // namespace bilevel::backend
