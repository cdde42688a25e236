// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/rows.hpp>

namespace bilevel::detail {

/// to_i ← (1 − momentum) to_i + momentum row_t,i, task after task
template <class Scalar> struct moving_average {
    Scalar* to;
    Scalar momentum;
    rows<const Scalar> of_tasks;
    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        Scalar average = to[i];
        for (integer t = 0; t < of_tasks.tasks; ++t) average = (Scalar(1) - momentum) * average + momentum * of_tasks.row(t)[i];
        to[i] = average;
    }
};

}  // namespace bilevel::detail
