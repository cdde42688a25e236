// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/deferred.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/positive_in.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace bilevel::outer {

namespace detail {
template <class Scalar, class Step> struct step_of_adam {
    Scalar *x, *m, *v;
    const Scalar* g;
    Step of_step;
    Scalar b1, b2, e;
    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        using std::sqrt;
        const auto s = *of_step;
        m[i] = b1 * m[i] + (Scalar(1) - b1) * g[i];
        v[i] = b2 * v[i] + (Scalar(1) - b2) * g[i] * g[i];
        x[i] -= s.rate * m[i] / (sqrt(v[i] * s.correction) + e);
    }
};
}  // namespace detail

/// Adam [Kingma15]:  m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  x ← x − β m̂ / (√v̂ + ε)  with the bias of both moments corrected.
/// Keeps two vectors of the size of x.
struct adam {
    double step_size = 0.001;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;

    template <class Scalar = double> void check() const {
        const auto refuse = [](const char* what, double value, const char* expected) {
            throw argument_error(std::string("outer: ") + what + " is " + std::to_string(value) + ", expected " + expected);
        };
        // The first step is the longest: β / (1 − β₁).
        if (!(beta1 >= 0 && Scalar(beta1) < Scalar(1))) refuse("beta1", beta1, "0 <= beta1 < 1 in the backend's scalar");
        if (!(beta2 >= 0 && Scalar(beta2) < Scalar(1))) refuse("beta2", beta2, "0 <= beta2 < 1 in the backend's scalar");
        if (!positive_in<Scalar>(step_size) || !positive_in<Scalar>(step_size / (1 - beta1)))
            refuse("step_size", step_size, "a positive number of the backend's scalar, as is step_size / (1 - beta1)");
        if (!positive_in<Scalar>(epsilon)) refuse("epsilon", epsilon, "a positive number of the backend's scalar");
    }
    static integer memory(integer size) { return 2 * size; }
    /// What changes from step to step.
    template <class Scalar> struct step {
        Scalar rate;  // β / (1 − β₁ᵗ)
        Scalar correction;  // 1 / (1 − β₂ᵗ)
    };
    /// `iteration` counts from 0:  t = iteration + 1.
    template <class Scalar> step<Scalar> at(std::uint64_t iteration) const {
        const double t = double(iteration) + 1;
        return {Scalar(step_size / (1 - std::pow(beta1, t))), Scalar(1 / (1 - std::pow(beta2, t)))};
    }
    /// `now` lies where the other arrays do, so that every step calls the same kernels with the same arguments.
    template <class Kernels, class Scalar = typename Kernels::scalar>
    void update(Kernels& kernels, Scalar* x, const Scalar* g, Scalar* moments, integer size, const step<Scalar>* now) const {
        const backend::deferred<Kernels, step<Scalar>> of_step(now);
        kernels.for_each_index(size, detail::step_of_adam<Scalar, decltype(of_step)>{x, moments, moments + size, g, of_step, Scalar(beta1),
                                                                                     Scalar(beta2), Scalar(epsilon)});
    }
};

}  // namespace bilevel::outer
