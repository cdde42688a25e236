// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/explain.hpp>

namespace bilevel::objective {

/// f(w) = α f₁(w) + β f₂(w), a loss with a regulariser, say. It has a `hessian_vector` where both parts have one.
template <class First, class Second> struct weighted_sum {
    First first;
    Second second;
    double first_weight = 1;   // α
    double second_weight = 1;  // β

    template <class Y> using vector = Eigen::Matrix<typename Y::Scalar, Eigen::Dynamic, 1>;

    template <class Y> typename Y::Scalar value(const Y& y) const {
        using scalar = typename Y::Scalar;
        return scalar(first_weight) * first.value(y) + scalar(second_weight) * second.value(y);
    }
    template <class Y> vector<Y> gradient(const Y& y) const {
        using scalar = typename Y::Scalar;
        return scalar(first_weight) * first.gradient(y) + scalar(second_weight) * second.gradient(y);
    }
    template <class Y, class V>
        requires explain::has_hessian_vector<First, typename Y::Scalar> && explain::has_hessian_vector<Second, typename Y::Scalar>
    vector<Y> hessian_vector(const Y& y, const V& v) const {
        using scalar = typename Y::Scalar;
        return scalar(first_weight) * first.hessian_vector(y, v) + scalar(second_weight) * second.hessian_vector(y, v);
    }
};
template <class First, class Second> weighted_sum(First, Second) -> weighted_sum<First, Second>;
template <class First, class Second> weighted_sum(First, Second, double, double) -> weighted_sum<First, Second>;

}  // namespace bilevel::objective
