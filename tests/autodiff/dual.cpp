// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/autodiff/dual.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <type_traits>

using bilevel::dual;

namespace {

using number = dual<double>;
using second = dual<number>;

static_assert(number(3, 1) * number(3, 1) == 9 && (number(3, 1) * number(3, 1)).derivative == 6);
static_assert((1 / number(2, 1)).derivative == -0.25 && (number(6, 1) / 3).derivative * 3 == 1);
static_assert(number(1, 5) < 2 && 2 > number(1, 5) && number(2, 5) == 2 && number(2, 5) != 3 && number(2) <= 2 && number(2) >= 2.0f);
static_assert(std::is_same_v<decltype(2 * number()), number> && std::is_same_v<decltype(second() + 1), second>);

TEST_CASE("dual: elementary functions have their derivatives") {
    for (const double x : {0.3, 1.0, 2.7}) {
        CAPTURE(x);
        const number a(x, 2);  // the chain rule doubles all
        const auto check = [](number f, double value, double derivative) {
            CHECK(f.value == doctest::Approx(value).epsilon(1e-15));
            CHECK(f.derivative == doctest::Approx(2 * derivative).epsilon(1e-14));
        };
        check(sqrt(a), std::sqrt(x), 0.5 / std::sqrt(x));
        check(exp(a), std::exp(x), std::exp(x));
        check(log(a), std::log(x), 1 / x);
        check(log1p(a), std::log1p(x), 1 / (1 + x));
        check(sin(a), std::sin(x), std::cos(x));
        check(cos(a), std::cos(x), -std::sin(x));
        check(tanh(a), std::tanh(x), 1 - std::tanh(x) * std::tanh(x));
        check(pow(a, 3), x * x * x, 3 * x * x);
        check(pow(a, -0.5), 1 / std::sqrt(x), -0.5 / (x * std::sqrt(x)));
        check(pow(a, a), std::pow(x, x), std::pow(x, x) * (std::log(x) + 1));
        check(abs(-a), x, 1);
        check(a * a - 3 * a + 1 / a, x * x - 3 * x + 1 / x, 2 * x - 3 - 1 / (x * x));
        check((a + 1) / (a * a), (x + 1) / (x * x), -1 / (x * x) - 2 / (x * x * x));
    }
}

TEST_CASE("dual: at the edges") {
    CHECK(abs(number(0, 7)).derivative == 0);
    CHECK(pow(number(-2, 1), 3).derivative == 12);
    CHECK(pow(number(-2, 1), 2).value == 4);
    CHECK(pow(number(0, 1), 0).value == 1);
    CHECK(pow(number(0, 1), 0).derivative == 0);
    CHECK(pow(number(0, 1), 1).derivative == 1);
    CHECK(pow(dual<float>(-2, 1), 2).value == 4);  // the powers of a float by a whole number are doubles
    CHECK(pow(dual<float>(3, 1), 2.0).derivative == 6);
    CHECK(pow(second({3, 1}, {1, 0}), 2).derivative.derivative == 2);
    CHECK(std::isnan(abs(number(std::nan(""), 1)).value));
    CHECK(isfinite(number(1, 2)));
    CHECK_FALSE(isfinite(number(1, std::numeric_limits<double>::infinity())));
    CHECK_FALSE(isfinite(number(std::nan(""), 0)));
}

TEST_CASE("dual: assignment operators") {
    number a(3, 1);
    a += 2;
    a *= a;   // (x + 2)²
    a -= 1;
    a /= 2;
    CHECK(a.value == 12);
    CHECK(a.derivative == 5);
}

TEST_CASE("dual: nested, it gives second derivatives") {
    for (const double x : {0.4, 1.3}) {
        const second a(number(x, 1), number(1));
        CHECK(sin(a).derivative.derivative == doctest::Approx(-std::sin(x)).epsilon(1e-14));
        CHECK((a * a * a).derivative.derivative == doctest::Approx(6 * x).epsilon(1e-14));
        CHECK(exp(2 * a).derivative.derivative == doctest::Approx(4 * std::exp(2 * x)).epsilon(1e-14));
        CHECK(log(a).derivative.derivative == doctest::Approx(-1 / (x * x)).epsilon(1e-14));
        CHECK((1 / a).derivative.derivative == doctest::Approx(2 / (x * x * x)).epsilon(1e-14));
        CHECK(sqrt(a).derivative.derivative == doctest::Approx(-0.25 * std::pow(x, -1.5)).epsilon(1e-14));
        CHECK(pow(a, 2.5).derivative.derivative == doctest::Approx(3.75 * std::sqrt(x)).epsilon(1e-14));
        const double t = std::tanh(x);
        CHECK(tanh(a).derivative.derivative == doctest::Approx(-2 * t * (1 - t * t)).epsilon(1e-14));
    }
}

}  // namespace
