// expect: bilevel: an algorithm takes a bilevel::task<network, loss>
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

namespace bl = bilevel;
using network = bl::nn::mlp<bl::shape<3>, 4>;

void train() {
    bl::backend::reference<float> backend;
#ifdef BILEVEL_CONTROL
    auto solver = bl::maml(backend, bl::task<network, bl::objective::mean_squared_error>{.outputs = 1});
#else
    auto solver = bl::maml(backend, network{});
#endif
    auto state = solver.initialise({});
}
