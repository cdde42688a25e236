// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/random.hpp>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace bilevel::testing {

/// (f(p + h u) − f(p − h u)) / 2h of vectors as `std::vector` and the parameters of a state are; its error is of order h² and, by rounding, ε |f| / h. Over long
/// double h = 1e-6 gives about 12 digits. Throws `argument_error` where p and u differ in size. So  central_difference(F, state.parameters, u, 1e-6)  is
/// ⟨dF/dx, u⟩ where F puts x into a state s and gives  solver.hypergradient(s, batch).report.loss.
template <class Scalar, class Allocator, class Direction = std::vector<Scalar>, class F>
Scalar central_difference(F f, const std::vector<Scalar, Allocator>& point, const Direction& direction, Scalar h) {
    if (std::size(direction) != point.size())
        throw argument_error("central_difference: the direction has " + std::to_string(std::size(direction)) + " elements, the point " +
                             std::to_string(point.size()));
    std::vector<Scalar, Allocator> moved(point);
    const auto move = [&](Scalar by) {
        for (std::size_t i = 0; i < point.size(); ++i) moved[i] = point[i] + by * direction[i];
        return f(static_cast<const std::vector<Scalar, Allocator>&>(moved));
    };
    const Scalar above = move(h);
    return (above - move(-h)) / (2 * h);
}

/// The same for functions of an Eigen vector; f gives a number or a vector.
template <class F> auto central_difference(F f, const Eigen::VectorXd& point, const Eigen::VectorXd& direction, double h) {
    const Eigen::VectorXd high = point + h * direction, low = point - h * direction;
    using result = decltype(f(point));
    return result((f(high) - f(low)) / (2 * h));
}

/// ‖a − b‖ / ‖b‖ of two ranges of numbers.
template <class A, class B> double relative_error(const A& a, const B& b) {
    double squares = 0, of_b = 0;
    auto second = std::begin(b);
    for (auto first = std::begin(a); first != std::end(a); ++first, ++second) {
        squares += double((*first - *second) * (*first - *second));
        of_b += double(*second * *second);
    }
    return std::sqrt(squares) / std::sqrt(of_b);
}
inline double relative_error(double a, double b) { return std::abs(a - b) / std::abs(b); }

/// Standard normal numbers, the `index`-th vector of its kind.
inline Eigen::VectorXd random_vector(integer size, std::uint64_t index) {
    random::generator generator(1, random::purpose::user, index);
    Eigen::VectorXd v(size);
    for (integer i = 0; i < size; ++i) v[i] = generator.normal();
    return v;
}

/// A random direction of unit length in the parameters of a network, zero in the padding.
template <class Network> std::vector<double> random_direction(integer outputs, std::uint64_t index) {
    random::generator generator(2, random::purpose::user, index);
    std::vector<double> u(std::size_t(Network::size(outputs)), 0.0);
    double squares = 0;
    for (const auto& part : Network::layout(outputs))
        for (integer i = 0; i < part.count(); ++i) {
            double& element = u[std::size_t(part.offset + i)];
            element = generator.normal();
            squares += element * element;
        }
    for (double& element : u) element /= std::sqrt(squares);
    return u;
}

}  // namespace bilevel::testing
