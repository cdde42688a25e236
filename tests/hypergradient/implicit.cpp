// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// An implicit hypergradient is exact at the inner solution alone. On a quadratic of curvature a with proximal weight λ, the error of each task falls
// exactly as (1 − α (a + λ))^k with the k inner steps of size α.
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/implicit.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/objective/quadratic.hpp>
#include <bilevel/outer/gradient_descent.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/problem/proximal.hpp>
#include <bilevel/solver.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace bilevel;
using Eigen::VectorXd;
using levels_type = levels<objective::quadratic, objective::quadratic>;

namespace {
constexpr double weight = 1.5, step_size = 0.1;
constexpr integer n = 4;

struct measured {
    VectorXd vector;
    task_outcome outcome;
};
measured at(const levels_type& task, integer steps) {
    backend::reference<double> backend;
    problem::proximal<problem::episode<levels_type>> problem;
    problem.initial = testing::random_vector(n, 1);
    problem.weight = weight;
    auto solver = make_solver<hypergradient::implicit_cg, inner::gradient_descent, outer::gradient_descent>(
        backend, problem, {.inner = {.steps = steps, .step_size = step_size}});
    const std::vector<levels_type> batch{task};
    const auto result = solver.hypergradient(solver.initialise({}), batch);
    return {Eigen::Map<const VectorXd>(result.vector.data(), n), result.report.tasks[0]};
}
}  // namespace

TEST_CASE("the error of each task falls at its own rate") {
    std::uint64_t index = 10;
    for (const double a : {0.5, 2.0, 4.0, -0.7}) {  // also of negative curvature, which the pull makes convex
        const levels_type task{{a, testing::random_vector(n, index)}, {1.3, testing::random_vector(n, index + 1)}};
        index += 2;
        const VectorXd x = testing::random_vector(n, 1), solution = task.inner.pulled(x, weight);
        const VectorXd exact = weight / (a + weight) * task.outer.gradient(solution);
        const VectorXd first = at(task, 0).vector - exact;
        const double ratio = 1 - step_size * (a + weight);
        REQUIRE(first.norm() > 0.1);
        for (const integer k : {1, 2, 5, 10, 20}) {
            const auto m = at(task, k);
            const VectorXd expected = std::pow(ratio, double(k)) * first;
            // The vector itself, not its length alone; a rounding of the hypergradient is 1e-16 of its size.
            CHECK((m.vector - exact - expected).norm() < 1e-13 * exact.norm());
            // The certificate: ‖∇_y g(y_k)‖ = (a + λ) |ratio|^k ‖x − y*‖, and one iteration for one eigenvalue.
            CHECK(m.outcome.inner_gradient_norm ==
                  doctest::Approx((a + weight) * std::pow(ratio, double(k)) * (x - solution).norm()).epsilon(1e-10));
            CHECK(m.outcome.linear_iterations == 1);
            CHECK(m.outcome.positive_curvature);
            CHECK(m.outcome.linear_residual < 1e-10);
            CHECK(m.outcome.last_inner_loss ==
                  doctest::Approx(task.inner.value(VectorXd(solution + std::pow(ratio, double(k)) * (x - solution)))).epsilon(1e-10));
        }
    }
}

TEST_CASE("a problem that the pull does not make convex is told") {
    const levels_type task{{-2, testing::random_vector(n, 10)}, {1, testing::random_vector(n, 11)}};
    const auto m = at(task, 1);
    CHECK_FALSE(m.outcome.positive_curvature);
    CHECK(m.vector.norm() == 0);
}
