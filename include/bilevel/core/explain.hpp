// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>

#include <concepts>
#include <type_traits>

namespace bilevel {

/// The contracts of a user's own objectives as sentences: each class template is a ladder of assertions, one member each, from the general to the
/// special, so that the first line of the compiler's output says what is missing, with its signature and what to do.
namespace explain {

template <class Scalar> using vector = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;
template <class Scalar> using result = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

template <class Vector, class Scalar>
concept vector_of = std::same_as<typename std::remove_cvref_t<Vector>::Scalar, Scalar> &&
                    requires(const std::remove_cvref_t<Vector>& given, result<Scalar> out) { out = given; };

// One requirement a verb; each is a contract by itself, asked in the scalar that the objective is computed in: over another one a user's function need not compile.
template <class O, class S>
concept has_value = requires(const O& o, vector<S> y) {
    { o.value(y) } -> std::convertible_to<S>;
};
template <class O, class S>
concept has_gradient = requires(const O& o, vector<S> y) {
    { o.gradient(y) } -> vector_of<S>;
};
template <class O, class S>
concept has_hessian_vector = requires(const O& o, vector<S> y, vector<S> v) {
    { o.hessian_vector(y, v) } -> vector_of<S>;
};
template <class O, class S>
concept has_joint_value = requires(const O& o, vector<S> x, vector<S> y) {
    { o.value(x, y) } -> std::convertible_to<S>;
};
template <class O, class S>
concept has_gradient_y = requires(const O& o, vector<S> x, vector<S> y) {
    { o.gradient_y(x, y) } -> vector_of<S>;
};
template <class O, class S>
concept has_gradient_x = requires(const O& o, vector<S> x, vector<S> y) {
    { o.gradient_x(x, y) } -> vector_of<S>;
};
// Whether anything is called gradient_x, const or not, whatever it returns.
template <class O>
concept names_gradient_x = requires(O& o, vector<float> x, vector<float> y) { o.gradient_x(x, y); } ||
                           requires(O& o, vector<double> x, vector<double> y) { o.gradient_x(x, y); };
// As a concept, which asks the second question only where the answer to the first is no.
template <class O, class S> concept has_gradient_x_or_none = has_gradient_x<O, S> || !names_gradient_x<O>;
template <class O, class S>
concept has_joint_hessian_vector = requires(const O& o, vector<S> x, vector<S> y, vector<S> v) {
    { o.hessian_vector(x, y, v) } -> vector_of<S>;
};
template <class O, class S>
concept has_mixed_product = requires(const O& o, vector<S> x, vector<S> y, vector<S> v) {
    { o.mixed_product(x, y, v) } -> vector_of<S>;
};

/// An objective of one level that does not see x: the inner or the outer objective of an `episode` or a `proximal` problem.
template <class Objective, class Scalar> struct episode_objective {
    static_assert(has_value<Objective, Scalar>,
                  "bilevel: an objective of problem::episode needs  Scalar value(const auto& y) const  - the loss at y. "
                  "Write it, or wrap a generic function:  bilevel::objective::differentiated{[](const auto& y) { ... }}");
    static_assert(
        has_gradient<Objective, Scalar>,
        "bilevel: an objective of problem::episode needs  vector gradient(const auto& y) const  - the gradient by y, as an Eigen vector of the "
        "backend's scalar (yours is missing, not const, or gives something else). Write it, or let bilevel::objective::differentiated take it from the value");
    static constexpr bool value = true;
};

/// The inner objective g(x, y) of a `hyperparameter` problem.
template <class Objective, class Scalar> struct hyperparameter_inner {
    static_assert(
        has_joint_value<Objective, Scalar>,
        "bilevel: the inner objective of problem::hyperparameter needs  Scalar value(const auto& x, const auto& y) const  - the loss g(x, y)");
    static_assert(
        has_gradient_y<Objective, Scalar>,
        "bilevel: the inner objective of problem::hyperparameter needs  vector gradient_y(const auto& x, const auto& y) const  - its gradient by y, as an Eigen "
        "vector of the backend's scalar (yours is missing, not const, or gives something else)");
    static_assert(
        has_joint_hessian_vector<Objective, Scalar>,
        "bilevel: the inner objective of problem::hyperparameter needs  vector hessian_vector(const auto& x, const auto& y, const auto& v) const"
        "  - the product of its second derivative by y with v, as an Eigen vector of the backend's scalar; no route from x to the outer loss is left without it");
    static_assert(
        has_mixed_product<Objective, Scalar>,
        "bilevel: the inner objective of problem::hyperparameter needs  vector mixed_product(const auto& x, const auto& y, const auto& v) const"
        "  - the gradient by x of <gradient_y(x, y), v>, as an Eigen vector of the backend's scalar and of the size of x");
    static constexpr bool value = true;
};

/// The outer objective f(x, y) of a `hyperparameter` problem; `gradient_x` may be left out where f does not see x.
template <class Objective, class Scalar> struct hyperparameter_outer {
    static_assert(
        has_joint_value<Objective, Scalar>,
        "bilevel: the outer objective of problem::hyperparameter needs  Scalar value(const auto& x, const auto& y) const  - the loss f(x, y)");
    static_assert(
        has_gradient_y<Objective, Scalar>,
        "bilevel: the outer objective of problem::hyperparameter needs  vector gradient_y(const auto& x, const auto& y) const  - its gradient by y, as an Eigen "
        "vector of the backend's scalar (yours is missing, not const, or gives something else)");
    static_assert(
        has_gradient_x_or_none<Objective, Scalar>,
        "bilevel: the outer objective of problem::hyperparameter has a gradient_x that is not  vector gradient_x(const auto& x, const auto& y) const"
        "  - const, of vectors of the backend's scalar, and an Eigen vector; as it is, it would be left out of dF/dx");
    static constexpr bool value = true;
};

}  // namespace explain

}  // namespace bilevel
