// expect: bilevel: this hypergradient is of second order and needs  vector hessian_vector.*as an Eigen vector of the backend's scalar
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/unrolled.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/solver.hpp>

struct bowl {
    double value(const auto& y) const { return 0.5 * double(y.squaredNorm()); }
    Eigen::VectorXd gradient(const auto& y) const { return y.template cast<double>(); }
    Eigen::VectorXd hessian_vector(const auto&, const auto& v) const { return v.template cast<double>(); }
};
#ifdef BILEVEL_CONTROL
using scalar = double;
#else
using scalar = float;
#endif

int main() {
    bilevel::backend::reference<scalar> backend;
    bilevel::problem::episode<bilevel::levels<bowl, bowl>> problem;
    auto solver = bilevel::make_solver<bilevel::hypergradient::unrolled, bilevel::inner::gradient_descent, bilevel::outer::adam>(
        backend, problem, {});
}
