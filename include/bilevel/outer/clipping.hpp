// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

#include <cmath>
#include <limits>
#include <string>

namespace bilevel::outer {

namespace detail {
template <class Scalar> struct bounded {
    Scalar* g;
    Scalar bound;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { g[i] = g[i] > bound ? bound : g[i] < -bound ? -bound : g[i]; }
};
template <class Scalar> struct scaled {
    Scalar* g;
    Scalar factor;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { g[i] = factor * g[i]; }
};
}  // namespace detail

/// What bounds the hypergradient before the outer optimiser sees it: first each element by `value`, then the whole vector by its norm.
struct clipping {
    double value = std::numeric_limits<double>::infinity();  // |g_i| ≤ value
    double norm = std::numeric_limits<double>::infinity();   // ‖g‖ ≤ norm

    void check() const {
        if (!(value > 0)) throw argument_error("clipping: value is " + std::to_string(value) + ", expected a positive number");
        if (!(norm > 0)) throw argument_error("clipping: norm is " + std::to_string(norm) + ", expected a positive number");
    }

    /// Bounds g; `norm_of` gives the norm of g as it then stands.
    template <class Kernels, class Scalar, class Norm> void apply(Kernels& kernels, Scalar* g, integer size, Norm norm_of) const {
        if (std::isfinite(value)) kernels.for_each_index(size, detail::bounded<Scalar>{g, Scalar(value)});
        if (!std::isfinite(norm)) return;
        const double length = norm_of();
        if (length <= norm) return;
        kernels.for_each_index(size, detail::scaled<Scalar>{g, Scalar(norm / length)});
    }
};

}  // namespace bilevel::outer
