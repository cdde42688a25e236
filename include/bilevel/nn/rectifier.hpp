// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/activation.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>

namespace bilevel::nn {

/// y = x for x > 0, else x · SlopeNumerator / SlopeDenominator; the derivative at zero is the slope.
template <class Input, integer SlopeNumerator, integer SlopeDenominator> struct rectifier {
    static_assert(SlopeNumerator >= 0 && SlopeDenominator > 0, "bilevel: the slope of a leaky ReLU is not negative");
    using input = Input;
    using output = Input;
    using parameters = parameter_list<>;
    static constexpr const char* name = SlopeNumerator == 0 ? "relu" : "leaky_relu";

    template <class E> static auto forward(E& e, auto x, auto) {
        auto y = e(operation::rectify<typename E::scalar>{slope<typename E::scalar>()}, x);
        return forwarded{y, y};
    }
    template <class E> static auto backward(E& e, auto y, auto, auto, auto dy) {
        return e.adjoint_of(y, operation::rectify_backward<typename E::scalar>{slope<typename E::scalar>()}, dy, y);
    }

private:
    template <class Scalar> static Scalar slope() { return Scalar(double(SlopeNumerator) / double(SlopeDenominator)); }
};

/// max(x, 0).
template <class Input> using relu = rectifier<Input, 0, 1>;

/// x for x > 0, else 0.1 x, as in R2D2 and MetaOptNet.
template <class Input> using leaky_relu = rectifier<Input, 1, 10>;

}  // namespace bilevel::nn
