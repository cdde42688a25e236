// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/deferred.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/positive_in.hpp>
#include <bilevel/core/rows.hpp>

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
/// ‖g‖² -> min(1, bound / ‖g‖)
template <class Scalar> struct shortening {
    Scalar* number;
    double bound;
    BILEVEL_HOST_DEVICE void operator()(integer) const {
        using std::sqrt;
        const double length = sqrt(static_cast<double>(*number));
        *number = length <= bound ? Scalar(1) : Scalar(bound / length);
    }
};
template <class Kernels, class Scalar> struct scaled {
    Scalar* g;
    backend::deferred<Kernels, Scalar> factor;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { g[i] = *factor * g[i]; }
};
}  // namespace detail

/// What bounds the hypergradient before the outer optimiser sees it: first each element by `value`, then the whole vector by its norm.
struct clipping {
    double value = std::numeric_limits<double>::infinity();  // |g_i| ≤ value
    double norm = std::numeric_limits<double>::infinity();   // ‖g‖ ≤ norm

    template <class Scalar = double> void check() const {
        const auto require_bound = [](const char* what, double bound) {
            if (bound != std::numeric_limits<double>::infinity() && !positive_in<Scalar>(bound))
                throw argument_error(std::string("clipping: ") + what + " is " + std::to_string(bound) +
                                     ", expected a positive number of the backend's scalar, or infinity");
        };
        require_bound("value", value);
        require_bound("norm", norm);
    }

    /// Bounds g, by kernels alone; `number` is memory of theirs.
    template <class Kernels, class Scalar> void apply(Kernels& kernels, Scalar* g, integer size, Scalar* number) const {
        if (std::isfinite(value)) kernels.for_each_index(size, detail::bounded<Scalar>{g, Scalar(value)});
        if (!std::isfinite(norm)) return;
        const rows<const Scalar> all{g, size, 1, size};
        kernels.inner_products(number, all, all);
        kernels.for_each_index(1, detail::shortening<Scalar>{number, norm});
        kernels.for_each_index(size, detail::scaled<Kernels, Scalar>{g, backend::deferred<Kernels, Scalar>(number)});
    }
};

}  // namespace bilevel::outer
