// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/outer/clipping.hpp>
#include <bilevel/outer/gradient_descent.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace bilevel;
using Eigen::VectorXd;

namespace {
constexpr integer n = 7;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("adam is the algorithm of the paper") {
    backend::reference<double> kernels;
    const outer::adam adam{.step_size = 0.02, .beta1 = 0.85, .beta2 = 0.98, .epsilon = 1e-3};
    VectorXd x = testing::random_vector(n, 1), ours = x, m = VectorXd::Zero(n), v = VectorXd::Zero(n),
             moments = VectorXd::Zero(outer::adam::memory(n));
    for (std::uint64_t t = 1; t <= 20; ++t) {
        const VectorXd g = testing::random_vector(n, 100 + t);
        // [Kingma15, algorithm 1], line by line.
        m = 0.85 * m + 0.15 * g;
        v = 0.98 * v + 0.02 * g.cwiseProduct(g);
        const VectorXd mean = m / (1 - std::pow(0.85, double(t))), variance = v / (1 - std::pow(0.98, double(t)));
        x.array() -= 0.02 * mean.array() / (variance.array().sqrt() + 1e-3);
        const auto now = adam.at<double>(t - 1);
        adam.update(kernels, ours.data(), g.data(), moments.data(), n, &now);
        CHECK((ours - x).norm() < 1e-14);
    }
    CHECK((moments.head(n) - m).norm() < 1e-14);
    CHECK((moments.tail(n) - v).norm() < 1e-14);
}

TEST_CASE("the first step of adam has the size of its rate, and a zero gradient moves nothing") {
    backend::reference<double> kernels;
    const outer::adam adam{.step_size = 0.01};
    VectorXd x = VectorXd::Zero(3), g(3), moments = VectorXd::Zero(6);
    g << 5, -1e-3, 0;
    const auto now = adam.at<double>(0);
    adam.update(kernels, x.data(), g.data(), moments.data(), 3, &now);
    CHECK(x[0] == doctest::Approx(-0.01).epsilon(1e-6));
    CHECK(x[1] == doctest::Approx(0.01).epsilon(1e-4));
    CHECK(x[2] == 0);  // √0 does no harm
}

TEST_CASE("gradient descent") {
    backend::reference<double> kernels;
    const outer::gradient_descent rule{.step_size = 0.3};
    const VectorXd x = testing::random_vector(n, 1), g = testing::random_vector(n, 2);
    VectorXd ours = x;
    const auto now = rule.at<double>(0);
    rule.update(kernels, ours.data(), g.data(), static_cast<double*>(nullptr), n, &now);
    CHECK((ours - (x - 0.3 * g)).norm() < 1e-15);
    CHECK(outer::gradient_descent::memory(n) == 0);
}

TEST_CASE("clipping: first each element, then the norm of what is left") {
    backend::reference<double> kernels;
    const auto clipped = [&](VectorXd g, const outer::clipping& bounds) {
        double number = 0;
        bounds.apply(kernels, g.data(), g.size(), &number);
        return g;
    };
    VectorXd g(4);
    g << 3, -4, 0.5, -0.1;
    CHECK(clipped(g, {}) == g);
    const VectorXd by_value = clipped(g, {.value = 1});
    CHECK(by_value == Eigen::Vector4d(1, -1, 0.5, -0.1));
    const VectorXd by_norm = clipped(g, {.norm = 2});
    CHECK(by_norm.norm() == doctest::Approx(2).epsilon(1e-14));
    CHECK((by_norm.normalized() - g.normalized()).norm() < 1e-15);
    CHECK(clipped(g, {.norm = 100}) == g);  // a short one is not made longer
    const VectorXd both = clipped(g, {.value = 1, .norm = 0.5});
    CHECK((both - by_value * (0.5 / by_value.norm())).norm() < 1e-15);
}

TEST_CASE("settings that nothing can be computed with") {
    for (const double bad : {0.0, -1.0, not_a_number, infinity}) {
        CHECK_THROWS_AS(outer::adam{.step_size = bad}.check(), argument_error);
        CHECK_THROWS_AS(outer::adam{.epsilon = bad}.check(), argument_error);
        CHECK_THROWS_AS(outer::gradient_descent{.step_size = bad}.check(), argument_error);
    }
    for (const double bad : {-0.1, 1.0, not_a_number}) {
        CHECK_THROWS_AS(outer::adam{.beta1 = bad}.check(), argument_error);
        CHECK_THROWS_AS(outer::adam{.beta2 = bad}.check(), argument_error);
    }
    for (const double bad : {0.0, -1.0, not_a_number}) {
        CHECK_THROWS_AS(outer::clipping{.value = bad}.check(), argument_error);
        CHECK_THROWS_AS(outer::clipping{.norm = bad}.check(), argument_error);
    }
    CHECK_NOTHROW(outer::adam{}.check());
    CHECK_NOTHROW(outer::clipping{}.check());
}
