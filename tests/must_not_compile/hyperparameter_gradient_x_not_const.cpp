// expect: bilevel: the outer objective of problem::hyperparameter has a gradient_x that is not
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/implicit.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/hyperparameter.hpp>
#include <bilevel/solver.hpp>

#ifdef BILEVEL_CONTROL
#define CONST const
#else
#define CONST
#endif

// g(x, y) = ½ x₀ ‖y‖²
struct penalised {
    double value(const auto& x, const auto& y) const { return 0.5 * x[0] * y.squaredNorm(); }
    Eigen::VectorXd gradient_y(const auto& x, const auto& y) const { return x[0] * y; }
    Eigen::VectorXd hessian_vector(const auto& x, const auto&, const auto& v) const { return x[0] * v; }
    Eigen::VectorXd mixed_product(const auto&, const auto& y, const auto& v) const { return Eigen::VectorXd::Constant(1, y.dot(v)); }
};
// f(x, y) = ½ ‖x‖² + ½ ‖y‖²
struct validation {
    double value(const auto& x, const auto& y) const { return 0.5 * x.squaredNorm() + 0.5 * y.squaredNorm(); }
    Eigen::VectorXd gradient_y(const auto&, const auto& y) const { return y; }
    Eigen::VectorXd gradient_x(const auto& x, const auto&) CONST { return x; }
};

int main() {
    bilevel::backend::reference<double> backend;
    bilevel::problem::hyperparameter<bilevel::levels<penalised, validation>> problem;
    auto solver = bilevel::make_solver<bilevel::hypergradient::implicit_cg, bilevel::inner::gradient_descent, bilevel::outer::adam>(
        backend, problem, {});
}
