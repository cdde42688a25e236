// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Division by a number that is known before a kernel begins, as a multiplication and a shift [Granlund94]: for 0 ≤ n < 2³¹ and 1 ≤ d < 2³¹,
/// ⌊n / d⌋ = ⌊n m / 2^(31 + s)⌋ with s = ⌈log₂ d⌉ and m = ⌈2^(31 + s) / d⌉, since m d − 2^(31 + s) < d ≤ 2^s.
class divisor {
public:
    divisor() = default;
    constexpr explicit divisor(int d) : divisor_(d) {
        while ((std::int64_t{1} << shift_) < d) ++shift_;
        shift_ += 31;
        const std::uint64_t power = std::uint64_t{1} << shift_, by = static_cast<std::uint64_t>(d);
        multiplier_ = (power + by - 1) / by;  // at most 2³²
    }
    BILEVEL_HOST_DEVICE constexpr int quotient(int n) const {
        return static_cast<int>(static_cast<std::uint64_t>(n) * multiplier_ >> shift_);
    }
    BILEVEL_HOST_DEVICE constexpr int value() const { return divisor_; }

private:
    std::uint64_t multiplier_ = 0;
    int divisor_ = 1, shift_ = 0;
};

/// n = quotient d + remainder.
struct divided {
    int quotient, remainder;
    BILEVEL_HOST_DEVICE constexpr divided(int n, const divisor& by) : quotient(by.quotient(n)), remainder(n - quotient * by.value()) {}
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
