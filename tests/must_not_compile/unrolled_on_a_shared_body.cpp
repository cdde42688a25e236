// expect: bilevel: this problem has nothing to solve inside \(problem::shared_body\): use hypergradient::joint
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>

namespace bl = bilevel;
using task = bl::task<bl::nn::mlp<bl::shape<3>, 4>, bl::objective::cross_entropy>;
#ifdef BILEVEL_CONTROL
using policy = bl::hypergradient::joint;
#else
using policy = bl::hypergradient::unrolled;
#endif

int main() {
    bl::backend::reference<float> backend;
    auto solver = bl::make_solver<policy, bl::inner::gradient_descent, bl::outer::adam>(
        backend, bl::problem::shared_body<task>{{{.outputs = 5}}, 20}, {});
}
