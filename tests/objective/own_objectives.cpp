// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/objective/differentiated.hpp>
#include <bilevel/objective/least_squares.hpp>
#include <bilevel/objective/quadratic.hpp>
#include <bilevel/objective/weighted_sum.hpp>
#include <bilevel/testing/laws.hpp>

#include <doctest/doctest.h>

namespace bl = bilevel;
using bl::testing::random_vector;

namespace {
constexpr double by_differences = 1e-8;  // h = 1e-5: h² = 1e-10 times third derivatives of order 10
constexpr double by_roundings = 1e-12;

Eigen::MatrixXd random_matrix(bl::integer rows, bl::integer columns, std::uint64_t index) {
    const Eigen::VectorXd v = random_vector(rows * columns, index);
    return Eigen::Map<const Eigen::MatrixXd>(v.data(), rows, columns);
}

void check(const auto& objective, const Eigen::VectorXd& y) {
    const auto errors = bl::testing::check_objective(objective, y);
    CHECK(errors.gradient < by_differences);
    CHECK(errors.hessian < by_differences);
    CHECK(errors.symmetry < by_roundings);
}

// Every elementary function of a dual number, on arguments where it is smooth.
const auto everything = [](const auto& y) {
    return sin(y[0]) * cos(y[1]) + exp(0.3 * y[2]) / (2.0 + y[0] * y[0]) + log(1.5 + y[1] * y[1]) + tanh(y[2] * y[0]) +
           sqrt(1.0 + y.squaredNorm()) + pow(y[1], 3) + log1p(exp(y[2])) + abs(y[0] + 9.25);
};
// g(x, y) with dim x = 2, dim y = 3, neither quadratic nor separable.
const auto joint = [](const auto& x, const auto& y) {
    return 0.5 * exp(x[0]) * y[0] * y[0] + 0.5 * exp(x[1]) * y.squaredNorm() + sin(x[0] * y[1]) * y[2] + x[1] * x[1] * y[0];
};

struct first_order_only {
    double value(const auto& y) const { return y[0]; }
    Eigen::VectorXd gradient(const auto& y) const { return Eigen::VectorXd::Unit(y.size(), 0); }
};
struct joint_first_order_only {
    double value(const auto& x, const auto& y) const { return x[0] * y.squaredNorm(); }
    Eigen::VectorXd gradient_y(const auto& x, const auto& y) const { return 2 * x[0] * y; }
};
struct wrong {
    double value(const auto& y) const { return y[0] * y[0] * y[1]; }
    Eigen::VectorXd gradient(const auto& y) const { return Eigen::Vector2d(2 * y[0] * y[1], 1.001 * y[0] * y[0]); }
    Eigen::VectorXd hessian_vector(const auto& y, const auto& v) const {
        return Eigen::Vector2d(2 * y[1] * v[0] + 2 * y[0] * v[1], 1.9 * y[0] * v[0]);
    }
};
}  // namespace

TEST_CASE("a quadratic has the derivatives and the path that it says") {
    const bl::objective::quadratic f{1.7, random_vector(4, 1)};
    const Eigen::VectorXd y = random_vector(4, 2);
    check(f, y);
    Eigen::VectorXd w = y;
    for (int k = 0; k < 5; ++k) w -= 0.1 * f.gradient(w);
    CHECK((w - f.descended(y, 5, 0.1)).norm() < by_roundings);
    const Eigen::VectorXd x = random_vector(4, 3), solution = f.pulled(x, 0.6);
    CHECK((f.gradient(solution) + 0.6 * (solution - x)).norm() < by_roundings);
    CHECK(f.value(x, y) == f.value(y));
    CHECK((f.gradient_y(x, y) - f.gradient(y)).norm() == 0);
}

TEST_CASE("least squares") {
    const bl::objective::least_squares f{random_matrix(7, 3, 1), random_vector(7, 2)};
    const Eigen::VectorXd y = random_vector(3, 3);
    check(f, y);
    CHECK(f.value(y) == doctest::Approx((f.matrix * y - f.target).squaredNorm() / 14).epsilon(by_roundings));
    CHECK((f.gradient_y(random_vector(2, 4), y) - f.gradient(y)).norm() == 0);
}

TEST_CASE("a weighted sum is the sum of its parts, and of second order where both are") {
    const bl::objective::weighted_sum f{bl::objective::least_squares{random_matrix(7, 3, 1), random_vector(7, 2)},
                                        bl::objective::quadratic{1, random_vector(3, 5)}, 0.7, 0.2};
    const Eigen::VectorXd y = random_vector(3, 3);
    check(f, y);
    CHECK(f.value(y) == doctest::Approx(0.7 * f.first.value(y) + 0.2 * f.second.value(y)).epsilon(by_roundings));

    using sum = bl::objective::weighted_sum<bl::objective::quadratic, first_order_only>;
    static_assert(bl::explain::has_gradient<sum, double> && !bl::explain::has_hessian_vector<sum, double>);
    static_assert(bl::explain::has_hessian_vector<decltype(f), double>);
}

TEST_CASE("a function of one vector, differentiated") {
    const bl::objective::differentiated f{everything};
    static_assert(bl::explain::has_hessian_vector<decltype(f), double> && !bl::explain::has_joint_value<decltype(f), double>);
    for (std::uint64_t i = 0; i < 4; ++i) check(f, random_vector(3, i));
}

TEST_CASE("differentiated agrees with hand-written derivatives to the last digits") {
    const bl::objective::least_squares by_hand{random_matrix(7, 3, 1), random_vector(7, 2)};
    // A matrix of doubles times a vector of duals, and numbers beside them: as one would write it.
    const bl::objective::differentiated f{[&](const auto& y) { return 0.5 * (by_hand.matrix * y - by_hand.target).squaredNorm() / 7; }};
    const Eigen::VectorXd y = random_vector(3, 3), v = random_vector(3, 4);
    CHECK(f.value(y) == doctest::Approx(by_hand.value(y)).epsilon(by_roundings));
    CHECK((f.gradient(y) - by_hand.gradient(y)).norm() < by_roundings);
    CHECK((f.hessian_vector(y, v) - by_hand.hessian_vector(y, v)).norm() < by_roundings);
}

TEST_CASE("a function of two vectors of different sizes, differentiated") {
    const bl::objective::differentiated f{joint};
    static_assert(bl::explain::has_mixed_product<decltype(f), double> && bl::explain::has_gradient_x<decltype(f), double>);
    static_assert(!bl::explain::has_value<decltype(f), double>);
    for (std::uint64_t i = 0; i < 4; ++i) {
        const auto errors = bl::testing::check_joint_objective(f, random_vector(2, i + 10), random_vector(3, i + 20));
        CHECK(errors.gradient_x < by_differences);
        CHECK(errors.gradient_y < by_differences);
        CHECK(errors.hessian < by_differences);
        CHECK(errors.symmetry < by_roundings);
        CHECK(errors.mixed < by_differences);
    }
}

TEST_CASE("the checker sees what is wrong") {
    const auto errors = bl::testing::check_objective(wrong{}, Eigen::Vector2d(1.1, 0.7));
    CHECK(errors.gradient > 1e-5);
    CHECK(errors.hessian > 1e-3);
    CHECK(errors.symmetry > 1e-3);
}

namespace {
struct not_a_number {
    double value(const auto& y) const { return y.squaredNorm(); }
    Eigen::VectorXd gradient(const auto& y) const { return y * std::nan(""); }
    Eigen::VectorXd hessian_vector(const auto&, const auto& v) const { return v * std::nan(""); }
};
struct linear {
    double value(const auto& y) const { return y.sum(); }
    Eigen::VectorXd gradient(const auto& y) const { return Eigen::VectorXd::Ones(y.size()); }
    Eigen::VectorXd hessian_vector(const auto&, const auto& v) const { return Eigen::VectorXd::Zero(v.size()); }
};
}  // namespace

TEST_CASE("the checker does not take NaN for nothing") {
    const auto errors = bl::testing::check_objective(not_a_number{}, Eigen::Vector2d(1.1, 0.7));
    CHECK(std::isnan(errors.gradient));
    CHECK(std::isnan(errors.hessian));
    CHECK(std::isnan(errors.symmetry));
}

TEST_CASE("the checker knows a second derivative that is zero") {
    const auto errors = bl::testing::check_objective(linear{}, Eigen::Vector2d(1.1, 0.7));
    CHECK(errors.gradient < 1e-9);
    CHECK(errors.hessian == 0);
    CHECK(errors.symmetry == 0);
}

TEST_CASE("the laws ask an objective for what it has") {
    const auto of_y = bl::testing::check_objective(first_order_only{}, random_vector(3, 60));
    CHECK(of_y.gradient < by_differences);
    CHECK(of_y.hessian == 0);
    const auto of_both = bl::testing::check_joint_objective(joint_first_order_only{}, random_vector(2, 61), random_vector(3, 62));
    CHECK(of_both.gradient_y < by_differences);
    CHECK(of_both.mixed == 0);
}

TEST_CASE("a central difference takes the vectors of a state, and refuses a direction of another size") {
    const bl::aligned_vector<double> point{1, 2};
    const auto square = [](const auto& p) { return p[0] * p[0] + 3 * p[1] * p[1]; };
    CHECK(bl::testing::central_difference(square, point, {1, 0}, 1e-3) == doctest::Approx(2).epsilon(1e-12));
    CHECK(bl::testing::central_difference(square, point, bl::aligned_vector<double>{0, 1}, 1e-3) == doctest::Approx(12).epsilon(1e-12));
    CHECK_THROWS_AS((bl::testing::central_difference(square, point, std::vector<double>{1}, 1e-3)), bl::argument_error);
}
