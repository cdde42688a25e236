// expect: bilevel: what is computed once is of constants alone
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/autodiff/operation/activation.hpp>
#include <bilevel/backend/reference.hpp>

namespace bl = bilevel;
#ifdef BILEVEL_CONTROL
constexpr auto activity = bl::activity::constant;
#else
constexpr auto activity = bl::activity::adjoint;
#endif

void rectify_once(bl::backend::reference<double>& kernels, bl::workspace& values, bl::array<double, bl::shape<4, 4, 2>, activity> x) {
    bl::autodiff::evaluator<bl::autodiff::reading::primal, bl::backend::reference<double>> e{kernels, values, values};
    e.once(bl::operation::rectify<double>{0.0}, x);
}
