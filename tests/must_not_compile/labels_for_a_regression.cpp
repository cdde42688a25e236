// expect: bilevel: this batch is not for this solver:.*labels for cross_entropy, numbers for mean_squared_error
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

namespace bl = bilevel;
#ifdef BILEVEL_CONTROL
using target = float;
#else
using target = int;
#endif

void train(const bl::episodes_view<float, target>& batch) {
    bl::backend::reference<float> backend;
    auto solver = bl::maml(backend, bl::task<bl::nn::mlp<bl::shape<3>, 4>, bl::objective::mean_squared_error>{.outputs = 1});
    auto state = solver.initialise({});
    solver.step(state, batch);
}
