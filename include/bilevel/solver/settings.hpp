// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/outer/clipping.hpp>

#include <string>

namespace bilevel {

/// The settings of a solver, nested as its type is.
template <class Hypergradient, class Inner, class Outer> struct solver_settings {
    Inner inner{};
    Outer outer{};
    Hypergradient hypergradient{};
    outer::clipping clipping{};
    double statistics_momentum = 0.1;  // running ← (1 − momentum) running + momentum · batch, task after task

    void check() const {
        inner.check();
        outer.check();
        hypergradient.check();
        clipping.check();
        if (!(statistics_momentum > 0 && statistics_momentum <= 1))
            throw argument_error("statistics_momentum is " + std::to_string(statistics_momentum) + ", expected 0 < momentum <= 1");
    }
};

}  // namespace bilevel
