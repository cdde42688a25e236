// expect: bilevel: this hypergradient differentiates an inner solution, but the inner rule is inner::none
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>

namespace bl = bilevel;
using task = bl::task<bl::nn::mlp<bl::shape<3>, 4>, bl::objective::cross_entropy>;
#ifdef BILEVEL_CONTROL
using rule = bl::inner::gradient_descent;
#else
using rule = bl::inner::none;
#endif

int main() {
    bl::backend::reference<float> backend;
    auto solver = bl::make_solver<bl::hypergradient::unrolled, rule, bl::outer::adam>(backend, bl::problem::episode<task>{}, {});
}
