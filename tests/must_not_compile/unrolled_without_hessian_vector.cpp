// expect: bilevel: this hypergradient is of second order and needs  vector hessian_vector.*use hypergradient::first_order
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/hypergradient/unrolled.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/solver.hpp>

struct bowl {
    double value(const auto& y) const { return 0.5 * y.squaredNorm(); }
    Eigen::VectorXd gradient(const auto& y) const { return y; }
};
#ifdef BILEVEL_CONTROL
using policy = bilevel::hypergradient::first_order;
#else
using policy = bilevel::hypergradient::unrolled;
#endif

int main() {
    bilevel::backend::reference<double> backend;
    bilevel::problem::episode<bilevel::levels<bowl, bowl>> problem;
    auto solver = bilevel::make_solver<policy, bilevel::inner::gradient_descent, bilevel::outer::adam>(backend, problem, {});
}
