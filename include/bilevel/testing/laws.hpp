// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/maximum.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <utility>

/// The laws that any objective obeys, as numbers that are nearly zero: for the library's own objectives and for yours. Each is the largest relative
/// error over three random directions. In double, and a central difference with h = 1e-5, expect 1e-9 and less where second derivatives are of
/// the size of the function; symmetry and the transposition hold to a few roundings. NaN is the error of a derivative that is NaN.
namespace bilevel::testing {

// What an objective does not have is not asked for, and no error.

/// What is wrong with the derivatives of an objective f(y).
struct objective_errors {
    double gradient = 0;  // ⟨∇f(y), u⟩ against the difference of values
    double hessian = 0;  // ∇²f(y) u against the difference of gradients
    double symmetry = 0;  // ⟨u, H v⟩ against ⟨v, H u⟩
};

/// What is wrong with the derivatives of an objective f(x, y).
struct joint_objective_errors {
    double gradient_x = 0;
    double gradient_y = 0;
    double hessian = 0;
    double symmetry = 0;
    double mixed = 0;  // ⟨∇ₓ⟨∇_y f, v⟩, u⟩ against the difference of ⟨∇_y f, v⟩ along u of x
};

namespace detail {
inline constexpr int directions = 3;
inline constexpr double step = 1e-5;
inline constexpr double smallest = 1e-300;  // so that nothing against nothing is no error

/// |a − b| against the size of both, or against `floor` where both are nothing.
inline double error_of(double a, double b, double floor = 0) {
    return std::abs(a - b) / std::max({std::abs(a), std::abs(b), floor, smallest});
}

template <class Gradient> double gradient_error(const Eigen::VectorXd& point, std::uint64_t index, Gradient gradient, auto value) {
    const Eigen::VectorXd u = random_vector(point.size(), index);
    return error_of(gradient(point).dot(u), central_difference(value, point, u, step));
}
template <class Gradient, class Product>
void hessian_errors(const Eigen::VectorXd& y, std::uint64_t index, Gradient gradient, Product product, auto& errors) {
    const Eigen::VectorXd u = random_vector(y.size(), index), v = random_vector(y.size(), index + 1000), hu = product(y, u),
                          hv = product(y, v);
    const Eigen::VectorXd difference = central_difference(gradient, y, u, step);
    errors.hessian = maximum(errors.hessian, (hu - difference).norm() / std::max(hu.norm(), smallest));
    errors.symmetry = maximum(errors.symmetry, error_of(u.dot(hv), v.dot(hu), 1e-3 * u.norm() * hv.norm()));
}
}  // namespace detail

/// The laws of f(y) with `value`, `gradient` and, where it is there, `hessian_vector`, at y.
template <class Objective> objective_errors check_objective(const Objective& f, const Eigen::VectorXd& y) {
    objective_errors errors;
    const auto gradient = [&](const Eigen::VectorXd& at) { return Eigen::VectorXd(f.gradient(at)); };
    for (std::uint64_t i = 0; i < detail::directions; ++i) {
        errors.gradient = maximum(errors.gradient,
                                  detail::gradient_error(y, i, gradient, [&](const Eigen::VectorXd& at) { return double(f.value(at)); }));
        if constexpr (requires { f.hessian_vector(y, y); })
            detail::hessian_errors(
                y, i, gradient, [&](const auto& at, const auto& v) { return Eigen::VectorXd(f.hessian_vector(at, v)); }, errors);
    }
    return errors;
}

/// The laws of f(x, y) with `value`, `gradient_y` and, where they are there, `gradient_x`, `hessian_vector` and `mixed_product`, at (x, y).
/// Choose dim x ≠ dim y: a transposed product goes unseen otherwise.
template <class Objective>
joint_objective_errors check_joint_objective(const Objective& f, const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
    joint_objective_errors errors;
    const auto gradient_y = [&](const Eigen::VectorXd& at) { return Eigen::VectorXd(f.gradient_y(x, at)); };
    for (std::uint64_t i = 0; i < detail::directions; ++i) {
        errors.gradient_y = maximum(
            errors.gradient_y, detail::gradient_error(y, i, gradient_y, [&](const Eigen::VectorXd& at) { return double(f.value(x, at)); }));
        if constexpr (requires { f.hessian_vector(x, y, y); })
            detail::hessian_errors(
                y, i, gradient_y, [&](const auto& at, const auto& v) { return Eigen::VectorXd(f.hessian_vector(x, at, v)); }, errors);
        if constexpr (requires { f.gradient_x(x, y); }) {
            const auto gradient_x = [&](const Eigen::VectorXd& at) { return Eigen::VectorXd(f.gradient_x(at, y)); };
            errors.gradient_x =
                maximum(errors.gradient_x,
                        detail::gradient_error(x, i, gradient_x, [&](const Eigen::VectorXd& at) { return double(f.value(at, y)); }));
        }
        if constexpr (requires { f.mixed_product(x, y, y); }) {
            const Eigen::VectorXd v = random_vector(y.size(), i + 2000), u = random_vector(x.size(), i + 3000);
            const auto along_v = [&](const Eigen::VectorXd& at) { return Eigen::VectorXd(f.gradient_y(at, y)).dot(v); };
            errors.mixed = maximum(errors.mixed, detail::error_of(Eigen::VectorXd(f.mixed_product(x, y, v)).dot(u),
                                                                  central_difference(along_v, x, u, detail::step)));
        }
    }
    return errors;
}

/// ⟨J v, u⟩ against ⟨v, Jᵀ u⟩ from their four vectors: what an adjoint owes its map.
template <class A, class B, class C, class D> double adjoint_error(const A& jv, const B& u, const C& v, const D& jtu) {
    const auto dot = [](const auto& a, const auto& b) {
        double sum = 0, size = 0;
        auto second = std::begin(b);
        for (auto first = std::begin(a); first != std::end(a); ++first, ++second) {
            sum += double(*first * *second);
            size += std::abs(double(*first * *second));
        }
        return std::pair{sum, size};
    };
    const auto left = dot(jv, u), right = dot(v, jtu);
    return std::abs(left.first - right.first) / std::max({left.second, right.second, detail::smallest});
}

}  // namespace bilevel::testing
