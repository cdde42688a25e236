// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Hyper-parameter optimisation: a linear regression with one ridge penalty exp(x_j) a feature. The inner level fits the weights y on few training data,
//     g(x, y) = ½ ‖A y − b‖² / n + ½ Σ_j exp(x_j) y_j²,
// and the outer level asks how they do on validation data. Most of the features are noise: their penalties should grow, the others' vanish.
// The implicit hypergradient needs products alone, and its cost does not depend on how many penalties there are.
#include <bilevel/backend/reference.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/hypergradient/implicit.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/objective/least_squares.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/hyperparameter.hpp>
#include <bilevel/solver.hpp>

#include <cstdio>
#include <vector>

namespace bl = bilevel;
using Eigen::VectorXd;

constexpr bl::integer features = 20, useful = 4;

// The contract of an inner objective that x sits in: a value, a gradient by y, and two products.
struct ridge {
    bl::objective::least_squares fit;

    double value(const auto& x, const auto& y) const { return fit.value(y) + 0.5 * (x.array().exp() * y.array().square()).sum(); }
    VectorXd gradient_y(const auto& x, const auto& y) const { return fit.gradient(y).array() + x.array().exp() * y.array(); }
    VectorXd hessian_vector(const auto& x, const auto& y, const auto& v) const {
        return fit.hessian_vector(y, v).array() + x.array().exp() * v.array();
    }
    // ∇ₓ⟨∇_y g, v⟩: of Σ_j exp(x_j) y_j v_j by x.
    VectorXd mixed_product(const auto& x, const auto& y, const auto& v) const { return x.array().exp() * y.array() * v.array(); }
};
using levels = bl::levels<ridge, bl::objective::least_squares>;

// b = Σ_{j < useful} a_j + noise
bl::objective::least_squares draw(bl::integer count, std::uint64_t index) {
    bl::random::generator generator(7, bl::random::purpose::user, index);
    bl::objective::least_squares data{Eigen::MatrixXd(count, features), VectorXd::Zero(count)};
    for (bl::integer i = 0; i < count; ++i) {
        for (bl::integer j = 0; j < features; ++j) data.matrix(i, j) = generator.normal();
        data.target[i] = data.matrix.row(i).head(useful).sum() + 0.5 * generator.normal();
    }
    return data;
}

int main() {
    bl::backend::reference<double> backend;
    bl::problem::hyperparameter<levels> problem;
    problem.initial = VectorXd::Constant(features, -2);  // x: every penalty begins at exp(−2) = 0.14
    problem.initial_inner = VectorXd::Zero(features);  // y₀: where every fit begins
    auto solver = bl::make_solver<bl::hypergradient::implicit_cg, bl::inner::gradient_descent, bl::outer::adam>(
        backend, problem,
        {.inner = {.steps = 2000, .step_size = 0.05}, .outer = {.step_size = 0.05}, .hypergradient = {.linear = {.iterations = 40}}});

    const auto training = draw(40, 1), validation = draw(50, 2), test = draw(1000, 3);
    const std::vector<levels> task{{{training}, validation}};
    auto state = solver.initialise({});
    const auto loss_on = [&](const bl::objective::least_squares& data) {
        const auto fitted = solver.adapt(state, task);
        return data.value(Eigen::Map<const VectorXd>(fitted.parameters.data(), features));
    };
    const auto show = [&](const char* when) {
        std::printf("%s: loss on validation data %.4f, on test data %.4f\n", when, loss_on(validation), loss_on(test));
    };

    show("before");
    bl::report report;
    for (int i = 0; i < 100; ++i) report = solver.step(state, task);
    show("after ");
    std::printf("what the last hypergradient is worth: inner gradient %.0e, linear residual %.0e after %td iterations\n",
                report.inner_gradient_norm, report.linear_residual, report.linear_iterations);

    const Eigen::Map<const VectorXd> x(state.parameters.data(), features);
    std::printf("mean penalty of the %td useful features %.4f, of the others %.4f\n", useful, x.head(useful).array().exp().mean(),
                x.tail(features - useful).array().exp().mean());
}
