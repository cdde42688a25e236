// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Toy tasks of unequal curvature: inner ½ a (w − c)², outer ½ (w − c − ½)², three inner steps of 0.1. With r = (1 − 0.1 a)³ the inner solution is
// c + r (x − c), so that every stationary start is known by pen and paper.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/quadratic.hpp>
#include <bilevel/outer/gradient_descent.hpp>
#include <bilevel/problem/own_episode.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace bl = bilevel;
using levels = bl::levels<bl::objective::quadratic, bl::objective::quadratic>;
using episode = bl::problem::episode<levels>;
using bl::inner::gradient_descent;

namespace {
struct toy {
    double a, c;
};
constexpr toy tasks[] = {{0.5, -1}, {2, 0}, {4, 4}};
constexpr int steps = 3;
constexpr double step_size = 0.1, offset = 0.5;

Eigen::VectorXd number(double value) { return Eigen::VectorXd::Constant(1, value); }
std::vector<levels> batch() {
    std::vector<levels> all;
    for (const auto& t : tasks) all.push_back({{t.a, number(t.c)}, {1, number(t.c + offset)}});
    return all;
}
double contraction(const toy& t) { return std::pow(1 - step_size * t.a, steps); }

// The start x at which  Σ weight · (r (x − c) − ½)  vanishes: r(x − c) − ½ is what the outer objective sees at the inner solution.
template <class Ratio, class Weight> double stationary(Ratio ratio, Weight weight) {
    double numerator = 0, denominator = 0;
    for (const auto& t : tasks) {
        numerator += weight(t) * (ratio(t) * t.c + offset);
        denominator += weight(t) * ratio(t);
    }
    return numerator / denominator;
}

// Where gradient descent on x ends; every F here is a quadratic of curvature below one.
template <class Hypergradient, class Rule, class Problem>
double found(Problem problem, bl::solver_settings<Hypergradient, Rule, bl::outer::gradient_descent> settings) {
    bl::backend::reference<double> backend;
    problem.initial = number(-3);
    settings.outer.step_size = 0.5;
    auto solver = bl::make_solver<Hypergradient, Rule, bl::outer::gradient_descent>(backend, problem, settings);
    auto state = solver.initialise({});
    const auto data = batch();
    for (int i = 0; i < 1000; ++i) solver.step(state, data);
    CHECK(solver.hypergradient(state, data).report.gradient_norm < 1e-14);
    return state.parameters[0];
}
constexpr gradient_descent rule{.steps = steps, .step_size = step_size};
constexpr auto one = [](const toy&) { return 1.0; };
// The fixed point is found to a few roundings, divided by a curvature of F of at least 0.1.
doctest::Approx exactly(double value) { return doctest::Approx(value).epsilon(1e-13); }
doctest::Approx rounded(double value) { return doctest::Approx(value).epsilon(1e-3); }
}  // namespace

TEST_CASE("joint: the stationary start is the mean of the outer solutions") {
    const double x = found<bl::hypergradient::joint, bl::inner::none>(episode{}, {});
    CHECK(x == exactly(stationary(one, one)));
    CHECK(x == rounded(1.500));
}

TEST_CASE("first-order: a fixed point that is not a minimum") {
    const double x = found<bl::hypergradient::first_order, gradient_descent>(episode{}, {.inner = rule});
    CHECK(x == exactly(stationary(contraction, one)));
    CHECK(x == rounded(0.9503));
}

TEST_CASE("unrolled: the minimum of F, whether planes are kept or recomputed") {
    for (const auto planes : {bl::hypergradient::planes::kept, bl::hypergradient::planes::recomputed}) {
        const double x =
            found<bl::hypergradient::unrolled, gradient_descent>(episode{}, {.inner = rule, .hypergradient = {.planes = planes}});
        CHECK(x == exactly(stationary(contraction, contraction)));
        CHECK(x == rounded(0.2340));
    }
}

TEST_CASE("implicit: the minimum of F at the solutions of the proximal problem") {
    constexpr double weight = 1.5;
    bl::problem::proximal<episode> problem;
    problem.weight = weight;
    // y* = (a c + λ x) / (a + λ): as after steps with ratio λ / (a + λ).
    const auto ratio = [](const toy& t) { return weight / (t.a + weight); };
    const double x = found<bl::hypergradient::implicit_cg, gradient_descent>(problem, {.inner = {.steps = 300, .step_size = 0.15}});
    CHECK(x == exactly(stationary(ratio, ratio)));
}

TEST_CASE("adapt gives the inner solution of each task, with as many steps as are asked for") {
    bl::backend::reference<double> backend;
    episode problem;
    problem.initial = number(0.7);
    auto solver = bl::make_solver<bl::hypergradient::unrolled, gradient_descent, bl::outer::adam>(backend, problem, {.inner = rule});
    const auto state = solver.initialise({});
    const auto data = batch();
    const auto trained = solver.adapt(state, data), longer = solver.adapt(state, data, {.inner_steps = 10});
    for (bl::integer t = 0; t < 3; ++t) {
        const auto& inner = data[std::size_t(t)].inner;
        CHECK(trained.rows_of_tasks().row(t)[0] == exactly(inner.descended(number(0.7), steps, step_size)[0]));
        CHECK(longer.rows_of_tasks().row(t)[0] == exactly(inner.descended(number(0.7), 10, step_size)[0]));
    }
}
