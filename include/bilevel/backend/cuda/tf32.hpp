// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>

#include <bit>
#include <cstdint>

/// The numbers that tensor cores multiply, and how the threads of a warp hold them.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// The nearest number with 10 bits behind the point, of two equally near the one farther from zero.
BILEVEL_HOST_DEVICE constexpr float to_tf32(float x) {
    constexpr std::uint32_t dropped = 13;
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) + (std::uint32_t{1} << (dropped - 1));
    return x != x ? x : std::bit_cast<float>(bits >> dropped << dropped);
}

/// Of a matrix that a warp holds: an element.
struct place_in_fragment {
    int row, column;
};

/// A product c += a b by a warp, as PTX's mma.m16n8k8 has it: which element of each matrix is number i of a lane, 0 ≤ lane < 32.
struct warp_fragments {
    static constexpr int lanes = 32, rows = 16, columns = 8, terms = 8;
    static constexpr int of_a = rows * terms / lanes, of_b = terms * columns / lanes, of_c = rows * columns / lanes;

    static BILEVEL_HOST_DEVICE constexpr place_in_fragment a(int lane, int i) { return {lane / 4 + i % 2 * 8, lane % 4 + i / 2 * 4}; }
    static BILEVEL_HOST_DEVICE constexpr place_in_fragment b(int lane, int i) { return {lane % 4 + i * 4, lane / 4}; }
    static BILEVEL_HOST_DEVICE constexpr place_in_fragment c(int lane, int i) { return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2}; }
};

/// What a lane holds of a or b: its elements x ≈ high + low, with an error of at most 2⁻²² |x|, away from the ends of the range; without the low parts one of
/// 2⁻¹¹ |x|.
template <int Elements, bool WithLow> struct fragment {
    static constexpr bool has_low = WithLow;
    float high[Elements], low[WithLow ? Elements : 1];

    BILEVEL_HOST_DEVICE constexpr void set(int i, float x) {
        high[i] = to_tf32(x);
        if constexpr (WithLow) low[i] = to_tf32(x - high[i]);
    }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
