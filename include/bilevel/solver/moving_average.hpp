// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::detail {

/// to_i ← (1 − momentum) to_i + momentum batch_i
template <class Scalar> struct moving_average {
    Scalar momentum;
    Scalar* to;
    const Scalar* batch;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { to[i] = (Scalar(1) - momentum) * to[i] + momentum * batch[i]; }
};

}  // namespace bilevel::detail
