// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/tf32.hpp>
#include <bilevel/backend/instruction_set.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// What a warp does together for a `tensor_tile`. Devices before compute capability 8.0 have no such product (`cuda` refuses it there).
struct warp_product {
    /// sums += a b. Of numbers in two parts the small products come first; the tensor core cuts off what it adds, so that it adds the three products of eight
    /// terms alone, and ordinary, rounded additions do the rest.
    __device__ void multiply(float (&sums)[4], const fragment<4, false>& a, const fragment<2, false>& b) const {
        multiply(sums, a.high, b.high);
    }
    __device__ void multiply(float (&sums)[4], const fragment<4, true>& a, const fragment<2, true>& b) const {
        float part[4] = {0.0F, 0.0F, 0.0F, 0.0F};
        multiply(part, a.low, b.high);
        multiply(part, a.high, b.low);
        multiply(part, a.high, b.high);
        for (int q = 0; q < 4; ++q) sums[q] += part[q];
    }

private:
    static __device__ void multiply(float (&c)[4], const float (&a)[4], const float (&b)[2]) {
#if __CUDA_ARCH__ >= 800
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                     : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
                       "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
#else
        __trap();
#endif
    }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
