// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/linear/conjugate_gradient.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace bilevel;
using Eigen::MatrixXd, Eigen::VectorXd;

namespace {
constexpr integer n = 6;

struct equation {
    MatrixXd a;
    VectorXd b;
};
// Qᵀ diag Q with a random rotation Q from Householder reflections.
MatrixXd symmetric(const VectorXd& eigenvalues, std::uint64_t index) {
    MatrixXd a = eigenvalues.asDiagonal();
    for (std::uint64_t i = 0; i < 3; ++i) {
        const VectorXd w = testing::random_vector(n, 10 * index + i).normalized();
        const MatrixXd reflection = MatrixXd::Identity(n, n) - 2 * w * w.transpose();
        a = reflection * a * reflection;
    }
    return a;
}
VectorXd spectrum(double from, double to) { return VectorXd::LinSpaced(n, from, to); }

struct result {
    MatrixXd w;  // (n, tasks)
    std::vector<task_outcome> outcomes;
    integer products = 0;
};
result solve(const std::vector<equation>& systems, const linear::conjugate_gradient& cg) {
    backend::reference<double> kernels;
    const integer tasks = integer(systems.size());
    workspace counted;
    const auto take = [&](workspace& from) {
        linear::conjugate_gradient::scratch<double> s(from, tasks, n);
        const auto b = take_rows<double>(from, tasks, n), w = take_rows<double>(from, tasks, n);
        return std::tuple{s, b, w};
    };
    take(counted);
    workspace memory(counted.used());
    auto [s, b, w] = take(memory);
    for (integer t = 0; t < tasks; ++t)
        for (integer i = 0; i < n; ++i) b.row(t)[i] = systems[std::size_t(t)].b[i];
    result r{MatrixXd(n, tasks), std::vector<task_outcome>(std::size_t(tasks)), 0};
    const auto apply = [&](rows<const double> v, rows<double> product) {
        ++r.products;
        for (integer t = 0; t < tasks; ++t)
            Eigen::Map<VectorXd>(product.row(t), n) = systems[std::size_t(t)].a * Eigen::Map<const VectorXd>(v.row(t), n);
    };
    cg.solve(kernels, apply, rows<const double>(b), w, s, std::span<task_outcome>(r.outcomes));
    for (integer t = 0; t < tasks; ++t) r.w.col(t) = Eigen::Map<const VectorXd>(w.row(t), n);
    return r;
}
const linear::conjugate_gradient long_enough{.iterations = 50, .tolerance = 1e-14};
}  // namespace

TEST_CASE("the known solution of positive definite systems") {
    for (std::uint64_t i = 0; i < 5; ++i) {
        const VectorXd solution = testing::random_vector(n, i);
        const MatrixXd a = symmetric(spectrum(0.5, 20), i);
        const auto r = solve({{a, a * solution}}, long_enough);
        CHECK((r.w.col(0) - solution).norm() < 1e-12 * solution.norm());  // condition 40
        CHECK(r.outcomes[0].linear_iterations <= n + 2);                  // as many as eigenvalues, and what rounding adds
        CHECK(r.outcomes[0].positive_curvature);
        CHECK(r.outcomes[0].linear_residual <= 1e-14);
    }
}

TEST_CASE("as many iterations as different eigenvalues") {
    VectorXd two = VectorXd::Constant(n, 2.0);
    two[0] = 5;
    CHECK(solve({{MatrixXd::Identity(n, n) * 3, testing::random_vector(n, 1)}}, long_enough).outcomes[0].linear_iterations == 1);
    CHECK(
        solve({{symmetric(two, 1), testing::random_vector(n, 1)}}, {.iterations = 50, .tolerance = 1e-12}).outcomes[0].linear_iterations ==
        2);
}

TEST_CASE("stopped early, it reports the residual that it has") {
    const equation s{symmetric(spectrum(0.5, 20), 2), testing::random_vector(n, 3)};
    for (const integer iterations : {1, 3, 5}) {
        const auto r = solve({s}, {.iterations = iterations, .tolerance = 0});
        CHECK(r.outcomes[0].linear_iterations == iterations);
        CHECK(r.products == iterations);
        CHECK(r.outcomes[0].linear_residual == doctest::Approx((s.b - s.a * r.w.col(0)).norm() / s.b.norm()).epsilon(1e-10));
    }
}

TEST_CASE("negative curvature stops that task where it stands, and is told") {
    VectorXd indefinite = spectrum(1, 5);
    indefinite[2] = -3;
    const auto r = solve({{symmetric(indefinite, 4), testing::random_vector(n, 5)}}, long_enough);
    CHECK_FALSE(r.outcomes[0].positive_curvature);
    CHECK(r.outcomes[0].linear_iterations <= n);
    CHECK(r.w.allFinite());
    CHECK(r.outcomes[0].linear_residual > 1e-3);
    // At once, where the first direction is of negative curvature: the solution stays at zero.
    const auto at_once = solve({{-MatrixXd::Identity(n, n), testing::random_vector(n, 5)}}, long_enough);
    CHECK_FALSE(at_once.outcomes[0].positive_curvature);
    CHECK(at_once.w.norm() == 0);
    CHECK(at_once.outcomes[0].linear_residual == 1);
}

TEST_CASE("damping solves the damped system, an indefinite one too, and bends towards b / damping") {
    VectorXd indefinite = spectrum(1, 5);
    indefinite[2] = -3;
    const equation s{symmetric(indefinite, 4), testing::random_vector(n, 5)};
    for (const double damping : {4.0, 100.0}) {
        auto cg = long_enough;
        cg.damping = damping;
        const auto r = solve({s}, cg);
        CHECK(r.outcomes[0].positive_curvature);
        CHECK(r.outcomes[0].linear_residual <= 1e-14);
        CHECK((s.a * r.w.col(0) + damping * r.w.col(0) - s.b).norm() < 1e-13 * s.b.norm());
        // (A + δI)⁻¹ b − b/δ = −(A + δI)⁻¹ A b/δ
        CHECK((r.w.col(0) - s.b / damping).norm() <= 5 / (damping - 3) * s.b.norm() / damping);
    }
    for (const double bad : {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS((linear::conjugate_gradient{.damping = bad}.check()), argument_error);
}

TEST_CASE("tasks together have the bits that each has alone, whatever stops the others") {
    VectorXd indefinite = spectrum(1, 5);
    indefinite[0] = -1;
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    const std::vector<equation> systems{{symmetric(spectrum(0.5, 20), 6), testing::random_vector(n, 6)},
                                        {MatrixXd::Identity(n, n), testing::random_vector(n, 7)},  // done after one iteration
                                        {symmetric(indefinite, 8), testing::random_vector(n, 8)},
                                        {symmetric(spectrum(1, 2), 9), VectorXd::Zero(n)},  // done before the first
                                        {MatrixXd::Constant(n, n, nan), testing::random_vector(n, 9)},
                                        {symmetric(spectrum(0.1, 9), 10), testing::random_vector(n, 10)},
                                        {infinity * MatrixXd::Identity(n, n), VectorXd::Ones(n)}};  // 0 · ∞ is NaN
    const auto together = solve(systems, long_enough);
    for (std::size_t t = 0; t < systems.size(); ++t) {
        const auto alone = solve({systems[t]}, long_enough);
        const auto &a = alone.outcomes[0], &b = together.outcomes[t];
        CHECK(alone.w.col(0) == together.w.col(integer(t)));
        CHECK(a.linear_iterations == b.linear_iterations);
        CHECK(a.positive_curvature == b.positive_curvature);
        if (t != 4 && t != 6) CHECK(a.linear_residual == b.linear_residual);
    }
    CHECK(together.outcomes[1].linear_iterations == 1);
    CHECK(together.outcomes[3].linear_iterations == 0);
    CHECK(together.outcomes[3].linear_residual == 0);
    for (const integer t : {4, 6}) {  // nothing was solved, and nothing says that it was
        const auto& outcome = together.outcomes[std::size_t(t)];
        CHECK(outcome.linear_iterations == 1);
        CHECK_FALSE(outcome.positive_curvature);
        CHECK(std::isnan(outcome.linear_residual));
        CHECK(together.w.col(t).norm() == 0);
    }
}

TEST_CASE("a product that overflows leaves a residual of NaN") {
    const double large = std::numeric_limits<double>::max();
    const auto r = solve({{large * MatrixXd::Identity(n, n), VectorXd::Constant(n, 4)}}, long_enough);
    CHECK(std::isnan(r.outcomes[0].linear_residual));
    CHECK(r.w.norm() == 0);
}

TEST_CASE("settings that nothing can be computed with") {
    CHECK_THROWS_AS((linear::conjugate_gradient{.iterations = 0}.check()), argument_error);
    CHECK_THROWS_AS((linear::conjugate_gradient{.tolerance = -1}.check()), argument_error);
    CHECK_THROWS_AS((linear::conjugate_gradient{.tolerance = std::numeric_limits<double>::quiet_NaN()}.check()), argument_error);
}
