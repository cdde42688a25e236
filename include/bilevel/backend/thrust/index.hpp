// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// ⌊n / d⌋ and the rest of indices of one launch, which are less than 2³²: a device divides numbers of 32 bits in a fraction of the time, and without a call.
BILEVEL_HOST_DEVICE constexpr integer quotient(integer n, integer d) {
    return static_cast<integer>(static_cast<std::uint32_t>(n) / static_cast<std::uint32_t>(d));
}
BILEVEL_HOST_DEVICE constexpr integer rest(integer n, integer d) {
    return static_cast<integer>(static_cast<std::uint32_t>(n) % static_cast<std::uint32_t>(d));
}

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
