// expect: bilevel: problem::shared_body has a head with one row a class: it needs a classification loss, objective::cross_entropy
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

namespace bl = bilevel;
#ifdef BILEVEL_CONTROL
using loss = bl::objective::cross_entropy;
#else
using loss = bl::objective::mean_squared_error;
#endif

int main() {
    bl::backend::reference<float> backend;
    auto solver = bl::mtl(backend, bl::task<bl::nn::mlp<bl::shape<3>, 4>, loss>{.outputs = 5}, 20);
}
