// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <type_traits>

namespace bilevel {

/// A number with its derivative along one direction [Clifford1873]:  a + a' ε,  ε² = 0. A function run over duals gives its exact directional derivative;
/// over `dual<dual<double>>` the second one. Mixes with plain numbers, which are constants. Comparisons look at the value alone, so a program takes
/// the same branches as over plain numbers.
template <class Scalar> struct dual {
    using scalar = Scalar;
    Scalar value{};
    Scalar derivative{};

    constexpr dual() = default;
    constexpr dual(Scalar constant) : value(constant) {}
    constexpr dual(Scalar v, Scalar d) : value(v), derivative(d) {}
    template <class Number>
        requires std::is_arithmetic_v<Number>
    constexpr dual(Number constant) : value(static_cast<Scalar>(constant)) {}

    friend constexpr dual operator+(dual a) { return a; }
    friend constexpr dual operator-(dual a) { return {-a.value, -a.derivative}; }
    friend constexpr dual operator+(dual a, dual b) { return {a.value + b.value, a.derivative + b.derivative}; }
    friend constexpr dual operator-(dual a, dual b) { return {a.value - b.value, a.derivative - b.derivative}; }
    friend constexpr dual operator*(dual a, dual b) { return {a.value * b.value, a.derivative * b.value + a.value * b.derivative}; }
    friend constexpr dual operator/(dual a, dual b) {
        const Scalar quotient = a.value / b.value;
        return {quotient, (a.derivative - quotient * b.derivative) / b.value};
    }
    constexpr dual& operator+=(dual b) { return *this = *this + b; }
    constexpr dual& operator-=(dual b) { return *this = *this - b; }
    constexpr dual& operator*=(dual b) { return *this = *this * b; }
    constexpr dual& operator/=(dual b) { return *this = *this / b; }

    friend constexpr bool operator==(dual a, dual b) { return a.value == b.value; }
    friend constexpr bool operator!=(dual a, dual b) { return a.value != b.value; }
    friend constexpr bool operator<(dual a, dual b) { return a.value < b.value; }
    friend constexpr bool operator>(dual a, dual b) { return a.value > b.value; }
    friend constexpr bool operator<=(dual a, dual b) { return a.value <= b.value; }
    friend constexpr bool operator>=(dual a, dual b) { return a.value >= b.value; }

    /// √a, with derivative a' / (2 √a); not differentiable at 0.
    friend dual sqrt(dual a) {
        using std::sqrt;
        const Scalar root = sqrt(a.value);
        return {root, a.derivative / (Scalar(2) * root)};
    }
    friend dual exp(dual a) {
        using std::exp;
        const Scalar power = exp(a.value);
        return {power, power * a.derivative};
    }
    friend dual log(dual a) {
        using std::log;
        return {log(a.value), a.derivative / a.value};
    }
    friend dual log1p(dual a) {
        using std::log1p;
        return {log1p(a.value), a.derivative / (Scalar(1) + a.value)};
    }
    friend dual sin(dual a) {
        using std::cos, std::sin;
        return {sin(a.value), cos(a.value) * a.derivative};
    }
    friend dual cos(dual a) {
        using std::cos, std::sin;
        return {cos(a.value), -sin(a.value) * a.derivative};
    }
    friend dual tanh(dual a) {
        using std::tanh;
        const Scalar t = tanh(a.value);
        return {t, (Scalar(1) - t * t) * a.derivative};
    }
    /// a^n for a constant exponent, also of a negative base where n is whole; the derivative of a⁰ is 0 everywhere.
    template <class Number>
        requires std::is_arithmetic_v<Number>
    friend dual pow(dual a, Number n) {
        using std::pow;
        if (n == Number(0)) return dual(1);
        return {Scalar(pow(a.value, n)), Scalar(Scalar(n) * Scalar(pow(a.value, n - 1)) * a.derivative)};  // of a float it is a double
    }
    /// a^b = exp(b log a), for a > 0.
    friend dual pow(dual a, dual b) { return exp(b * log(a)); }
    /// |a|, with derivative 0 at 0.
    friend constexpr dual abs(dual a) { return a.value == Scalar(0) ? dual() : a.value < Scalar(0) ? -a : a; }

    /// Whether both the value and the derivative are finite.
    friend bool isfinite(dual a) {
        using std::isfinite;
        return isfinite(a.value) && isfinite(a.derivative);
    }
};

}  // namespace bilevel
