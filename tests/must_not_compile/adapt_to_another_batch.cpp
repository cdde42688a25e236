// expect: bilevel: this batch is not for this solver:.*labels for cross_entropy, numbers for mean_squared_error
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>

namespace bl = bilevel;
#ifdef BILEVEL_CONTROL
using scalar = double;
#else
using scalar = float;
#endif

void use(const bl::state<double>& state, const bl::episodes_view<scalar, int>& batch) {
    bl::backend::reference<double> backend;
    auto solver = bl::maml(backend, bl::task<bl::nn::mlp<bl::shape<3>, 4>, bl::objective::cross_entropy>{.outputs = 5});
    solver.adapt(state, batch);
    solver.evaluate(state, batch);
    solver.hypergradient(state, batch);
}
