// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Objectives of your own, in two ways: with the derivatives written by hand, and from the value alone. A task is a valley  log cosh(s (w − c)), summed over
// the two axes, with a minimum and a steepness of its own; MAML looks for the start from which three steps into any valley end lowest.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/differentiated.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/testing/laws.hpp>

#include <cstdio>
#include <vector>

namespace bl = bilevel;

// By hand: a value and a gradient; for the algorithms of second order the product of the Hessian with a vector too, never the Hessian itself.
struct valley {
    double steepness;
    Eigen::Vector2d minimum;

    double value(const auto& w) const { return scaled(w).cosh().log().sum(); }
    Eigen::VectorXd gradient(const auto& w) const { return steepness * scaled(w).tanh(); }
    Eigen::VectorXd hessian_vector(const auto& w, const auto& v) const {
        return steepness * steepness * (1 - scaled(w).tanh().square()) * v.array();
    }

private:
    Eigen::Array2d scaled(const auto& w) const { return steepness * (w - minimum).array(); }
};

// The value alone, as a function of any vector: derivatives come from dual numbers. Good for small dimensions, and for checking the other way.
auto valley_by_value(double steepness, const Eigen::Vector2d& minimum) {
    return bl::objective::differentiated{[=](const auto& w) {
        using std::exp, std::log;
        auto sum = 0.0 * w[0];
        for (int i = 0; i < 2; ++i) {
            const auto z = steepness * (w[i] - minimum[i]);
            sum += log(0.5 * (exp(z) + exp(-1.0 * z)));
        }
        return sum;
    }};
}

// One solver for both: nothing in it knows how the derivatives come about.
template <class Valley> Eigen::Vector2d best_start(const std::vector<bl::levels<Valley, Valley>>& tasks) {
    bl::backend::reference<double> backend;
    bl::problem::episode<bl::levels<Valley, Valley>> problem;
    problem.initial = Eigen::Vector2d(2, -2);
    auto solver = bl::make_solver<bl::hypergradient::unrolled, bl::inner::gradient_descent, bl::outer::adam>(
        backend, problem, {.inner = {.steps = 3, .step_size = 0.2}, .outer = {.step_size = 0.05}});
    auto state = solver.initialise({});
    const double before = solver.hypergradient(state, tasks).report.loss;
    for (int i = 0; i < 600; ++i) solver.step(state, tasks);
    std::printf("  mean loss after three steps: %.4f from the first start, %.4f from the learned one\n", before,
                solver.hypergradient(state, tasks).report.loss);
    return {state.parameters[0], state.parameters[1]};
}

int main() {
    const struct {
        double steepness;
        Eigen::Vector2d minimum;
    } valleys[] = {{0.5, {-1, 0}}, {1, {0, 2}}, {2, {1, 1}}};

    std::vector<bl::levels<valley, valley>> by_hand;
    std::vector<bl::levels<decltype(valley_by_value(1, {})), decltype(valley_by_value(1, {}))>> by_value;
    for (const auto& v : valleys) {
        by_hand.push_back({{v.steepness, v.minimum}, {v.steepness, v.minimum}});
        by_value.push_back({valley_by_value(v.steepness, v.minimum), valley_by_value(v.steepness, v.minimum)});
    }

    // Whoever writes derivatives by hand checks them: gradient and Hessian against differences, the Hessian against its transpose.
    const auto errors = bl::testing::check_objective(by_hand[1].inner, Eigen::Vector2d(0.3, -0.4));
    std::printf("relative errors of the derivatives by hand: gradient %.0e, Hessian %.0e, symmetry %.0e\n", errors.gradient, errors.hessian,
                errors.symmetry);

    std::printf("derivatives by hand:\n");
    const Eigen::Vector2d first = best_start(by_hand);
    std::printf("the value alone:\n");
    const Eigen::Vector2d second = best_start(by_value);
    std::printf("learned start: (%.6f, %.6f), and from the value alone the same to %.0e\n", first[0], first[1], (first - second).norm());
}
