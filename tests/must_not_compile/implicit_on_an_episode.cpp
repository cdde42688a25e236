// expect: bilevel: an implicit hypergradient sees x only through the inner objective.*use problem::proximal
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/problem/proximal.hpp>

namespace bl = bilevel;
using task = bl::task<bl::nn::mlp<bl::shape<3>, 4>, bl::objective::cross_entropy>;
#ifdef BILEVEL_CONTROL
using problem = bl::problem::proximal<bl::problem::episode<task>>;
#else
using problem = bl::problem::episode<task>;
#endif

int main() {
    bl::backend::reference<float> backend;
    auto solver = bl::make_solver<bl::hypergradient::implicit_cg, bl::inner::gradient_descent, bl::outer::adam>(backend, problem{}, {});
}
