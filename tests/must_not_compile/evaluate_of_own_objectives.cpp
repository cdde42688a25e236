// expect: bilevel: logits, predict and evaluate are of networks: .*report.loss is the mean outer loss
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/solver.hpp>

#include <vector>

struct bowl {
    double value(const auto& y) const { return 0.5 * y.squaredNorm(); }
    Eigen::VectorXd gradient(const auto& y) const { return y; }
};

double loss(const bilevel::state<double>& state, const std::vector<bilevel::levels<bowl, bowl>>& batch) {
    bilevel::backend::reference<double> backend;
    bilevel::problem::episode<bilevel::levels<bowl, bowl>> problem;
    auto solver = bilevel::make_solver<bilevel::hypergradient::first_order, bilevel::inner::gradient_descent, bilevel::outer::adam>(
        backend, problem, {});
#ifdef BILEVEL_CONTROL
    return solver.hypergradient(state, batch).report.loss;
#else
    return solver.evaluate(state, batch)[0];
#endif
}
