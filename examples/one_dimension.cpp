// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What each algorithm converges to, on three tasks that can be solved on paper. The inner objective of a task is ½ a (w − c)², the outer one
// ½ (w − c − ½)², with (a, c) = (0.5, −1), (2, 0), (4, 4). Three inner steps of 0.1 leave  w = c + r (x − c),  r = (1 − 0.1 a)³, of the start x, so that
// every stationary start has a closed form. The tasks have unequal curvatures: with equal ones FOMAML and MAML would agree.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/quadratic.hpp>
#include <bilevel/outer/gradient_descent.hpp>
#include <bilevel/problem/own_episode.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace bl = bilevel;
using levels = bl::levels<bl::objective::quadratic, bl::objective::quadratic>;
using episode = bl::problem::episode<levels>;

struct toy {
    double a, c;
};
constexpr toy toys[] = {{0.5, -1}, {2, 0}, {4, 4}};

Eigen::VectorXd number(double value) { return Eigen::VectorXd::Constant(1, value); }

// Only the hypergradient, and for the proximal problem the problem, changes from one algorithm to another.
template <class Hypergradient, class Rule, class Problem> double stationary_start(Problem problem, const Rule& rule) {
    bl::backend::reference<double> backend;
    problem.initial = number(0);
    auto solver =
        bl::make_solver<Hypergradient, Rule, bl::outer::gradient_descent>(backend, problem, {.inner = rule, .outer = {.step_size = 0.5}});
    auto state = solver.initialise({});
    std::vector<levels> batch;
    for (const auto& t : toys) batch.push_back({.inner = {t.a, number(t.c)}, .outer = {1, number(t.c + 0.5)}});
    for (int i = 0; i < 500; ++i) solver.step(state, batch);
    return state.parameters[0];
}

// Σ weight · (r (x − c) − ½) = 0
template <class Ratio, class Weight> double closed_form(Ratio r, Weight weight) {
    double numerator = 0, denominator = 0;
    for (const auto& t : toys) {
        numerator += weight(t) * (r(t) * t.c + 0.5);
        denominator += weight(t) * r(t);
    }
    return numerator / denominator;
}

int main() {
    namespace hypergradient = bl::hypergradient;
    const bl::inner::gradient_descent three{.steps = 3, .step_size = 0.1}, to_the_end{.steps = 200, .step_size = 0.1};
    constexpr double lambda = 1;
    bl::problem::proximal<episode> proximal;
    proximal.weight = lambda;

    const auto one = [](const toy&) { return 1.0; };
    const auto after_three = [](const toy& t) { return std::pow(1 - 0.1 * t.a, 3); };
    const auto pulled = [](const toy& t) { return lambda / (t.a + lambda); };

    std::printf("stationary start of the outer level         solver  closed form\n");
    const auto line = [](const char* name, double found, double expected) { std::printf("%-40s %9.6f    %9.6f\n", name, found, expected); };
    line("joint (no inner level)", stationary_start<hypergradient::joint>(episode{}, bl::inner::none{}), closed_form(one, one));
    line("FOMAML (a fixed point, not a minimum)", stationary_start<hypergradient::first_order>(episode{}, three),
         closed_form(after_three, one));
    line("MAML (the minimum of F)", stationary_start<hypergradient::unrolled>(episode{}, three), closed_form(after_three, after_three));
    line("iMAML (proximal, solved to the end)", stationary_start<hypergradient::implicit_cg>(proximal, to_the_end),
         closed_form(pulled, pulled));
}
