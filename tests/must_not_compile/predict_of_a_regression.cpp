// expect: bilevel: solver.predict names classes: what a regression predicts, solver.logits gives
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

namespace bl = bilevel;

void ask(const bl::adapted<float>& networks, const float* inputs) {
    bl::backend::reference<float> backend;
    auto solver = bl::maml(backend, bl::task<bl::nn::mlp<bl::shape<3>, 4>, bl::objective::mean_squared_error>{.outputs = 1});
#ifdef BILEVEL_CONTROL
    solver.logits(networks, inputs, 1);
#else
    solver.predict(networks, inputs, 1);
#endif
}
