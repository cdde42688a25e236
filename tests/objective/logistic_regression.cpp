// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/objective/differentiated.hpp>
#include <bilevel/objective/logistic_regression.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace bilevel;
using objective::logistic_regression;

namespace {
constexpr integer n = 12, k = 3, classes = 4;

logistic_regression::matrix features(std::uint64_t index) {
    const Eigen::VectorXd v = testing::random_vector(n * k, index);
    return Eigen::Map<const logistic_regression::matrix>(v.data(), n, k);
}
std::vector<int> labels() {
    std::vector<int> all;
    for (int i = 0; i < n; ++i) all.push_back(i % int(classes));
    return all;
}
// ½ ‖W‖² + C Σ −log softmax(Wᵀ z + b)[label] of w = (W by rows, b), for dual numbers too.
auto objective_of(const logistic_regression::matrix& z, double c) {
    return objective::differentiated{[z, c](const auto& w) {
        using scalar = typename std::remove_cvref_t<decltype(w)>::Scalar;
        using std::exp, std::log;
        scalar value = 0.5 * w.head(k * classes).squaredNorm();
        for (integer i = 0; i < n; ++i) {
            scalar sum(0), of_label(0);
            for (integer q = 0; q < classes; ++q) {
                scalar logit = w[k * classes + q];
                for (integer p = 0; p < k; ++p) logit += z(i, p) * w[p * classes + q];
                sum += exp(logit);
                if (q == i % classes) of_label = logit;
            }
            value += c * (log(sum) - of_label);
        }
        return value;
    }};
}
Eigen::VectorXd flat(const logistic_regression::solution& s) {
    Eigen::VectorXd w(k * classes + classes);
    for (integer i = 0; i < k * classes; ++i) w[i] = s.weights.data()[i];
    w.tail(classes) = s.bias;
    return w;
}
}  // namespace

TEST_CASE("the solution is stationary, and has the value that it says") {
    for (const double c : {0.01, 3.0, 1000.0}) {
        const auto z = features(1);
        const auto solution = logistic_regression{.inverse_regularisation = c}(z, labels(), classes);
        const auto objective = objective_of(z, c);
        const double scale = objective.gradient(Eigen::VectorXd(Eigen::VectorXd::Zero(flat(solution).size()))).lpNorm<Eigen::Infinity>();
        CHECK(objective.gradient(flat(solution)).lpNorm<Eigen::Infinity>() <= 1.01e-6 * scale);
        CHECK(solution.value == doctest::Approx(objective.value(flat(solution))).epsilon(1e-12));
        CHECK(solution.iterations < 200);
        for (std::uint64_t i = 0; i < 5; ++i) {
            const Eigen::VectorXd beside = flat(solution) + 0.01 * testing::random_vector(flat(solution).size(), i);
            CHECK(objective.value(beside) > solution.value);
        }
    }
}

TEST_CASE("weights grow with C and shrink to nothing without data worth it") {
    const auto z = features(2);
    double last = 0;
    for (const double c : {1e-6, 0.1, 1.0, 10.0}) {
        const double norm = logistic_regression{.inverse_regularisation = c}(z, labels(), classes).weights.norm();
        CHECK(norm > last);
        last = norm;
    }
    CHECK(logistic_regression{.inverse_regularisation = 1e-6}(z, labels(), classes).weights.norm() < 1e-4);
}

TEST_CASE("C must be positive and finite") {
    for (const double c : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS((logistic_regression{.inverse_regularisation = c}(features(1), labels(), classes)), argument_error);
}

TEST_CASE("logistic regression: labels and settings that nothing can be computed with are named") {
    const auto refused = [](const logistic_regression& by, const std::vector<int>& of) {
        try {
            (void)by(features(1), of, classes);
        } catch (const argument_error& e) {
            return std::string(e.what());
        }
        return std::string("no exception");
    };
    auto broken = labels();
    CHECK(refused({}, broken) == "no exception");
    broken[5] = int(classes);
    CHECK(refused({}, broken).find("label 4 of example 5") != std::string::npos);
    broken[5] = -1;
    CHECK(refused({}, broken).find("label -1 of example 5") != std::string::npos);
    broken.pop_back();
    CHECK(refused({}, broken).find("11 labels for 12 rows") != std::string::npos);
    CHECK(refused({.iterations = -1}, labels()).find("iterations") != std::string::npos);
    CHECK(refused({.tolerance = -1}, labels()).find("tolerance") != std::string::npos);
}
