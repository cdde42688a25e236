// expect: bilevel: an objective of problem::episode needs  Scalar value\(const auto& y\) const
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/solver.hpp>

struct bowl {
#ifdef BILEVEL_CONTROL
    double value(const auto& y) const { return 0.5 * y.squaredNorm(); }
#else
    double loss(const auto& y) const { return 0.5 * y.squaredNorm(); }
#endif
    Eigen::VectorXd gradient(const auto& y) const { return y; }
};

int main() {
    bilevel::backend::reference<double> backend;
    bilevel::problem::episode<bilevel::levels<bowl, bowl>> problem;
    auto solver = bilevel::make_solver<bilevel::hypergradient::first_order, bilevel::inner::gradient_descent, bilevel::outer::adam>(
        backend, problem, {});
}
