// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/core/random.hpp>
#include <bilevel/evaluation/interval.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using bilevel::evaluation::mean_interval;

TEST_CASE("interval: mean and half width by hand") {
    const auto i = mean_interval(std::vector<double>{0.2, 0.4, 0.6, 0.8});
    CHECK(i.count == 4);
    CHECK(i.mean == doctest::Approx(0.5).epsilon(1e-15));
    // s² = (0.09 + 0.01 + 0.01 + 0.09) / 3; dividing by 4 instead gives 0.219.
    CHECK(i.ci95 == doctest::Approx(1.96 * std::sqrt(0.2 / 3 / 4)).epsilon(1e-14));
}

TEST_CASE("interval: equal values, one value, none") {
    const auto same = mean_interval(std::vector<float>(10, 0.75f));
    CHECK(same.mean == 0.75);
    CHECK(same.ci95 == 0);
    const auto one = mean_interval(std::vector<double>{0.3});
    CHECK(one.mean == 0.3);
    CHECK(std::isnan(one.ci95));
    CHECK_THROWS_AS(mean_interval(std::vector<double>{}), bilevel::argument_error);
}

TEST_CASE("interval: a large offset does not drown the spread") {
    const auto i = mean_interval(std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 3});
    CHECK(i.ci95 == doctest::Approx(1.96 * std::sqrt(1.0 / 3)).epsilon(1e-9));
}

TEST_CASE("interval: covers the true mean about 95 times of 100") {
    int covered = 0;
    const int trials = 2000;
    for (std::uint64_t t = 0; t < trials; ++t) {
        bilevel::random::generator g(1, bilevel::random::purpose::user, t);
        std::vector<double> x(100);
        for (double& v : x) v = g.uniform();
        const auto i = mean_interval(x);
        covered += std::abs(i.mean - 0.5) <= i.ci95;
    }
    // 95 % with a standard deviation of √(2000 · 0.95 · 0.05) = 10; 1.96 for the t quantile 1.984 costs 0.3 points, 6 trials.
    CHECK(std::abs(covered - 1894) < 50);
}
