// expect: bilevel: running statistics are for evaluation: derivatives go through the statistics of the batch
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/batch_norm.hpp>

namespace bl = bilevel;
#ifdef BILEVEL_CONTROL
constexpr auto activity = bl::activity::constant;
#else
constexpr auto activity = bl::activity::adjoint;
#endif

void normalise(bl::backend::reference<double>& kernels, bl::workspace& values, bl::array<double, bl::shape<4, 4, 2>> x,
               bl::parameter_vector<double, activity> parameters) {
    using bl::autodiff::normalisation, bl::autodiff::reading;
    bl::autodiff::evaluator<reading::primal, bl::backend::reference<double>, normalisation::running> e{kernels, values, values};
    bl::nn::batch_norm<bl::shape<4, 4, 2>>::forward(e, x, parameters);
}
