// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::detail {

/// to_i ← from_i, for kernels.
template <class Value> struct copied_values {
    Value* to;
    const Value* from;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { to[i] = from[i]; }
};

}  // namespace bilevel::detail
