// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The hypergradient of every algorithm on a network, against the composed map x ↦ F(y_K(x)): over dual numbers, where it is exact, and by central
// differences in which no rectifier and no maximum takes another branch. The same test tells first order from second.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/mean_squared_error.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>
#include <fixtures/composed.hpp>
#include <fixtures/networks.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using namespace bilevel;
using fixture::smooth;
using fixture::two_blocks;
using objective::cross_entropy;
using objective::mean_squared_error;
using testing::relative_error;

namespace {
constexpr double exact = 1e-12;  // K steps of a program that agrees with its dual reading to 1e-14
constexpr double by_differences = 1e-7;  // h² times third derivatives of the composed map
constexpr double told_apart = 1e-2;  // what a missing Hessian costs: five orders of magnitude above the tolerances
constexpr long double h = 1e-6L;

const fixture::sizes size{.tasks = 2, .outputs = 3, .support = 6, .query = 9};
constexpr inner::gradient_descent rule{.steps = 3, .step_size = 0.2};

double dot(const auto& a, const auto& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

template <class State> std::vector<double> of(const State& state) { return {state.parameters.begin(), state.parameters.end()}; }

// A solver over a network, at parameters away from the special values of an initialisation.
template <class Network, class Loss, class Solver> struct subject {
    fixture::episodes<double, Network, Loss> data{size};
    typename Solver::state_type state;
    hypergradient_result<double> result;

    explicit subject(Solver solver) : state(solver.initialise({.seed = 3})) {
        random::generator generator(7, random::purpose::user, 0);
        std::vector<bool> is_parameter(state.parameters.size(), true);
        for (std::size_t i = 0; i < state.parameters.size(); ++i) is_parameter[i] = i >= std::size_t(Network::body_size);
        for (const auto& part : Network::layout(size.outputs))
            if (part.offset < Network::body_size) std::fill_n(is_parameter.begin() + part.offset, part.count(), true);
        for (std::size_t i = 0; i < state.parameters.size(); ++i)
            if (is_parameter[i]) state.parameters[i] += 0.2 * generator.normal();
        result = solver.hypergradient(state, data.all());
    }
};
template <class Network, class Loss, class Solver> auto measured(Solver solver) {
    return subject<Network, Loss, Solver>(std::move(solver));
}

// The largest error of ⟨dF/dx, u⟩ over three directions, relative to the largest of the three: one of them may cancel.
struct errors {
    double over_duals = 0, by_difference = 0;
};
template <class Network, class Loss, class Map>
errors against(const std::vector<double>& x, const aligned_vector<double>& gradient, Map map) {
    errors worst;
    double largest = 0;
    for (std::uint64_t i = 0; i < 3; ++i) {
        // Every element of x is a direction: the padding does not reach F, and its gradient is zero.
        random::generator generator(8, random::purpose::user, i);
        std::vector<double> u(x.size());
        for (double& element : u) element = generator.normal() / std::sqrt(double(x.size()));
        const double ours = dot(gradient, u);
        const double expected = fixture::over_duals<Network, Loss>(size, x, u, map);
        largest = std::max(largest, std::abs(expected));
        worst.over_duals = std::max(worst.over_duals, std::abs(ours - expected));
        const auto difference = fixture::by_difference<Network, Loss>(size, x, u, h, map);
        CHECK_FALSE(difference.switched);
        worst.by_difference = std::max(worst.by_difference, std::abs(ours - difference.value));
    }
    return {worst.over_duals / largest, worst.by_difference / largest};
}
auto path(const fixture::inner_loop& loop) {
    return [loop](auto& composed, const auto& x) { return composed(x, loop); };
}
const task<two_blocks, cross_entropy> classification{.outputs = size.outputs};
}  // namespace

TEST_CASE("maml is the derivative of its composed map, fomaml is another vector") {
    backend::reference<double> backend;
    const auto loop = path({rule.steps, rule.step_size});
    const auto second = measured<two_blocks, cross_entropy>(maml(backend, classification, {.inner = rule}));
    const auto errors_of_second = against<two_blocks, cross_entropy>(of(second.state), second.result.vector, loop);
    CHECK(errors_of_second.over_duals < exact);
    CHECK(errors_of_second.by_difference < by_differences);

    const auto first = measured<two_blocks, cross_entropy>(fomaml(backend, classification, {.inner = rule}));
    CHECK(of(first.state) == of(second.state));
    CHECK(first.result.report.loss == second.result.report.loss);
    const auto errors_of_first = against<two_blocks, cross_entropy>(of(first.state), first.result.vector, loop);
    CHECK(errors_of_first.over_duals > told_apart);
    CHECK(errors_of_first.by_difference > told_apart);

    SUBCASE("recomputed planes give the same bits") {
        const auto again = measured<two_blocks, cross_entropy>(
            maml(backend, classification, {.inner = rule, .hypergradient = {.planes = hypergradient::planes::recomputed}}));
        CHECK(again.result.vector == second.result.vector);
        CHECK(again.result.report.loss == second.result.report.loss);
        CHECK(again.result.report.kept_steps == 1);
    }
    SUBCASE("so do planes of which some fit the budget") {
        CHECK(second.result.report.kept_steps == rule.steps);
        using problem_type = problem::episode<task<two_blocks, cross_entropy>>;
        const std::size_t bytes = problem_type::binding<backend::reference<double>::kernels>::bytes_of_slot(
            {{classification}}, {.tasks = 1, .support = size.support, .query = size.query, .outputs = size.outputs});
        for (integer fit = 0; fit <= rule.steps + 1; ++fit) {
            const auto some = measured<two_blocks, cross_entropy>(
                maml(backend, classification, {.inner = rule, .hypergradient = {.budget = std::size_t(fit) * bytes + bytes / 2}}));
            CHECK(some.result.vector == second.result.vector);
            CHECK(some.result.report.kept_steps == std::clamp(fit, integer{1}, rule.steps));
        }
    }
    SUBCASE("fomaml is the outer gradient at the end of the path") {
        // The composed map of no steps, at y_K instead of x, task by task: what [Finn17] calls first order.
        auto solver = fomaml(backend, classification, {.inner = rule});
        const auto ends = solver.adapt(first.state, first.data.all());
        std::vector<double> sum(first.result.vector.size(), 0.0);
        for (integer t = 0; t < size.tasks; ++t) {
            auto there = first.state;
            std::copy_n(ends.rows_of_tasks().row(t), there.parameters.size(), there.parameters.begin());
            auto standing = fomaml(backend, classification, {.inner = {.steps = 0, .step_size = 1}});
            const auto g = standing.hypergradient(there, first.data.only(t)).vector;
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += g[i] / double(size.tasks);
        }
        CHECK(relative_error(first.result.vector, sum) < exact);
    }
    SUBCASE("with no inner step, both are the gradient of the outer loss") {
        const auto standing = measured<two_blocks, cross_entropy>(maml(backend, classification, {.inner = {.steps = 0, .step_size = 1}}));
        const auto e = against<two_blocks, cross_entropy>(of(standing.state), standing.result.vector, path({}));
        CHECK(e.over_duals < exact);
        CHECK(e.by_difference < by_differences);
    }
}

TEST_CASE("anil: the head adapts, the body is reached through every step; first order drops the inner route alone") {
    backend::reference<double> backend;
    const auto loop = path({rule.steps, rule.step_size, 0, true});
    const auto second = measured<two_blocks, cross_entropy>(anil(backend, classification, {.inner = rule}));
    const auto e = against<two_blocks, cross_entropy>(of(second.state), second.result.vector, loop);
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
    const auto again = measured<two_blocks, cross_entropy>(
        anil(backend, classification, {.inner = rule, .hypergradient = {.planes = hypergradient::planes::recomputed}}));
    CHECK(again.result.vector == second.result.vector);
    CHECK(again.result.report.kept_steps == 1);

    using first_order_anil = solver<backend::reference<double>, problem::episode<task<two_blocks, cross_entropy>, problem::adapts::head>,
                                    hypergradient::first_order, inner::gradient_descent, outer::adam>;
    const auto first = measured<two_blocks, cross_entropy>(first_order_anil(backend, {{classification}}, {.inner = rule}));
    CHECK(first.result.report.loss == second.result.report.loss);
    const auto f = against<two_blocks, cross_entropy>(of(first.state), first.result.vector, loop);
    CHECK(f.over_duals > told_apart);
    CHECK(f.by_difference > told_apart);
    // It still trains the body, by the outer loss.
    CHECK(std::any_of(first.result.vector.begin(), first.result.vector.begin() + two_blocks::body_size, [](double g) { return g != 0; }));
}

TEST_CASE("a regression on images: maml under the squared error") {
    backend::reference<double> backend;
    const auto s =
        measured<smooth, mean_squared_error>(maml(backend, task<smooth, mean_squared_error>{.outputs = size.outputs}, {.inner = rule}));
    const auto e = against<smooth, mean_squared_error>(of(s.state), s.result.vector, path({rule.steps, rule.step_size}));
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
    CHECK(s.result.report.accuracy == -1);
}

TEST_CASE("mtl: the gradient by the body and by the rows of the classes at hand") {
    backend::reference<double> backend;
    const auto s = measured<two_blocks, cross_entropy>(mtl(backend, classification, size.classes));
    const auto e = against<two_blocks, cross_entropy>(of(s.state), s.result.vector,
                                                      [](auto& composed, const auto& x) { return composed.shared_body(x); });
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
    // Rows of classes that no task has do not move.
    constexpr integer features = two_blocks::features::count();
    for (integer c = 0; c < size.classes; ++c) {
        const bool used = std::find(s.data.classes.begin(), s.data.classes.end(), int(c)) != s.data.classes.end();
        const auto row = s.result.vector.begin() + two_blocks::body_size + c * features;
        CHECK(std::any_of(row, row + features, [](double g) { return g != 0; }) == used);
    }
}

TEST_CASE("imaml at a solution of the inner problem is the derivative of the composed map; before it, the certificate says so") {
    backend::reference<double> backend;
    constexpr double weight = 2;
    const task<smooth, cross_entropy> on_smooth{.outputs = size.outputs};
    const auto after = [&](integer steps) {
        return measured<smooth, cross_entropy>(
            imaml(backend, on_smooth, weight,
                  {.inner = {.steps = steps, .step_size = 0.15}, .hypergradient = {.linear = {.iterations = 200, .tolerance = 1e-15}}}));
    };
    const auto solved = after(400);
    CHECK(solved.result.report.inner_gradient_norm < 1e-14);
    CHECK(solved.result.report.linear_residual < 1e-14);
    CHECK(solved.result.report.positive_curvature);
    const auto e = against<smooth, cross_entropy>(of(solved.state), solved.result.vector, path({400, 0.15, weight}));
    CHECK(e.over_duals < 1e-11);  // the linear solver, beside the program
    CHECK(e.by_difference < by_differences);

    // Fewer steps: a larger inner gradient, a worse vector, both seen.
    double last_norm = solved.result.report.inner_gradient_norm, last_error = 0;
    for (const integer steps : {20, 10, 5}) {
        const auto early = after(steps);
        const double error = relative_error(early.result.vector, solved.result.vector);
        CHECK(early.result.report.inner_gradient_norm > 2 * last_norm);
        CHECK(error > last_error);
        last_norm = early.result.report.inner_gradient_norm;
        last_error = error;
    }
}

TEST_CASE("imaml on a network with switches: the certificate falls with the inner steps") {
    backend::reference<double> backend;
    double last = 1e300;
    for (const integer steps : {2, 8, 32}) {
        const auto s = measured<two_blocks, cross_entropy>(
            imaml(backend, classification, 20.0,
                  {.inner = {.steps = steps, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 50, .tolerance = 1e-12}}}));
        CHECK(s.result.report.inner_gradient_norm > 0);
        CHECK(s.result.report.inner_gradient_norm < 0.7 * last);
        CHECK(s.result.report.linear_residual < 1e-11);
        CHECK(s.result.report.linear_iterations > 0);
        last = s.result.report.inner_gradient_norm;
    }
}
