// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace bilevel::outer {

/// x ← x − β g.
struct gradient_descent {
    static constexpr const char* name = "gradient descent";
    double step_size = 0.01;

    void check() const {
        if (!std::isfinite(step_size) || step_size <= 0)
            throw argument_error("outer: step_size is " + std::to_string(step_size) + ", expected a positive number");
    }
    static integer memory(integer) { return 0; }
    template <class Kernels, class Scalar = typename Kernels::scalar>
    void update(Kernels& kernels, Scalar* x, const Scalar* g, Scalar*, integer size, std::uint64_t) const {
        const Scalar rate = Scalar(step_size);
        kernels.for_each_index(size, [=] BILEVEL_HOST_DEVICE(integer i) { x[i] -= rate * g[i]; });
    }
};

}  // namespace bilevel::outer
