// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/matrix.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/initialise.hpp>

namespace bilevel::nn {

/// y = x w + b; x is flattened. Outputs may be `dynamic`: the head's width is known at run time.    // w (k, outputs)  b (outputs)
template <class Input, integer Outputs = dynamic, class Initialiser = initialise::small> struct linear {
    using input = Input;
    using output = shape<Outputs>;
    using weights = shape<Input::count(), Outputs>;
    using parameters =
        parameter_list<parameter<weights, "weight", "in,out", Initialiser>, parameter<output, "bias", "out", initialise::zeros>>;
    static constexpr const char* name = "linear";
    static constexpr bool output_is_free = true;

    static auto forward(auto& e, auto x, auto p) {
        auto [w, b] = p.split(parameters{});
        return forwarded{e(operation::affine{}, x, w, b), x};
    }
    static auto backward(auto& e, auto x, auto p, auto g, auto dy) {
        auto [w, b] = p.split(parameters{});
        auto [dw, db] = g.split(parameters{});
        e.gradient(dw, operation::matmul_backward_weights{}, x, dy);
        e.gradient(db, operation::sum_over_batch{}, dy);
        return e.adjoint_of(x, operation::matmul_backward_data<Input>{}, dy, w);
    }
};

}  // namespace bilevel::nn
