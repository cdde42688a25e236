// expect: bilevel: an algorithm takes a bilevel::task<network, loss>
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>

namespace bl = bilevel;
using network = bl::nn::mlp<bl::shape<3>, 4>;

void train() {
    bl::backend::reference<float> backend;
#ifdef BILEVEL_CONTROL
    auto solver = bl::mtl(backend, bl::task<network, bl::objective::cross_entropy>{.outputs = 5}, 20);
#else
    auto solver = bl::mtl(backend, network{}, 20);
#endif
    auto state = solver.initialise({});
}
