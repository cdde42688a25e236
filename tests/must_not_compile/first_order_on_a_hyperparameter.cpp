// expect: bilevel: this hypergradient drops every route by which x reaches the outer loss.*use hypergradient::unrolled or hypergradient::implicit
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/hypergradient/implicit.hpp>
#include <bilevel/hypergradient/joint.hpp>
#include <bilevel/hypergradient/unrolled.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/hyperparameter.hpp>
#include <bilevel/solver.hpp>

// g(x, y) = ½ x₀ ‖y‖²
struct penalised {
    double value(const auto& x, const auto& y) const { return 0.5 * x[0] * y.squaredNorm(); }
    Eigen::VectorXd gradient_y(const auto& x, const auto& y) const { return x[0] * y; }
    Eigen::VectorXd hessian_vector(const auto& x, const auto&, const auto& v) const { return x[0] * v; }
    Eigen::VectorXd mixed_product(const auto&, const auto& y, const auto& v) const { return Eigen::VectorXd::Constant(1, y.dot(v)); }
};
struct validation {
    double value(const auto&, const auto& y) const { return 0.5 * y.squaredNorm(); }
    Eigen::VectorXd gradient_y(const auto&, const auto& y) const { return y; }
};
#ifdef BILEVEL_CONTROL
using policy = bilevel::hypergradient::unrolled;
#else
using policy = bilevel::hypergradient::first_order;
#endif

int main() {
    bilevel::backend::reference<double> backend;
    bilevel::problem::hyperparameter<bilevel::levels<penalised, validation>> problem;
    auto solver = bilevel::make_solver<policy, bilevel::inner::gradient_descent, bilevel::outer::adam>(backend, problem, {});
}
