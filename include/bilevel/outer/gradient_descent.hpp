// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/deferred.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/positive_in.hpp>

#include <cstdint>
#include <string>

namespace bilevel::outer {

namespace detail {
template <class Scalar, class Step> struct step_downhill {
    Scalar* x;
    const Scalar* g;
    Step of_step;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { x[i] -= (*of_step).rate * g[i]; }
};
}  // namespace detail

/// x ← x − β g.
struct gradient_descent {
    double step_size = 0.01;

    template <class Scalar = double> void check() const {
        if (!positive_in<Scalar>(step_size))
            throw argument_error("outer: step_size is " + std::to_string(step_size) +
                                 ", expected a positive number of the backend's scalar");
    }
    static integer memory(integer) { return 0; }
    /// What may change from step to step.
    template <class Scalar> struct step {
        Scalar rate;
    };
    template <class Scalar> step<Scalar> at(std::uint64_t) const { return {Scalar(step_size)}; }
    template <class Kernels, class Scalar = typename Kernels::scalar>
    void update(Kernels& kernels, Scalar* x, const Scalar* g, Scalar*, integer size, const step<Scalar>* now) const {
        const backend::deferred<Kernels, step<Scalar>> of_step(now);
        kernels.for_each_index(size, detail::step_downhill<Scalar, decltype(of_step)>{x, g, of_step});
    }
};

}  // namespace bilevel::outer
