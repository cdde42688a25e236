// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/positive_in.hpp>
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

    /// Throws `argument_error` for what nothing can be computed with, also where it is so in Scalar alone, in which the solver computes.
    template <class Scalar> void check() const {
        check_rule<Scalar>(inner);
        check_rule<Scalar>(outer);
        hypergradient.check();
        clipping.check<Scalar>();
        if (!(positive_in<Scalar>(statistics_momentum) && statistics_momentum <= 1))
            throw argument_error("statistics_momentum is " + std::to_string(statistics_momentum) + ", expected 0 < momentum <= 1");
    }

private:
    template <class Scalar, class Rule> static void check_rule(const Rule& rule) {
        if constexpr (requires { rule.template check<Scalar>(); }) {
            rule.template check<Scalar>();
        } else {
            rule.check();
        }
    }
};

}  // namespace bilevel
