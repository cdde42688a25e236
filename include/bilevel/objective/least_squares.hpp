// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>

namespace bilevel::objective {

/// f(w) = ½ ‖A w − b‖² / n, a linear regression on n rows of data. Serves both levels of an episode, and as an outer objective f(x, y) that does not
/// see x (the loss on validation data). A scalar of any kind may be put in.    // A (n, k)  b (n)  w (k)
struct least_squares {
    Eigen::MatrixXd matrix;  // A
    Eigen::VectorXd target;  // b

    template <class Y> using vector = Eigen::Matrix<typename Y::Scalar, Eigen::Dynamic, 1>;

    template <class Y> typename Y::Scalar value(const Y& y) const { return share<Y>(0.5) * residual(y).squaredNorm(); }
    /// Aᵀ (A w − b) / n
    template <class Y> vector<Y> gradient(const Y& y) const { return share<Y>(1) * (cast<Y>().transpose() * residual(y)); }
    /// Aᵀ A v / n
    template <class Y, class V> vector<Y> hessian_vector(const Y&, const V& v) const {
        const vector<Y> image = cast<Y>() * v;
        return share<Y>(1) * (cast<Y>().transpose() * image);
    }

    template <class X, class Y> typename Y::Scalar value(const X&, const Y& y) const { return value(y); }
    template <class X, class Y> vector<Y> gradient_y(const X&, const Y& y) const { return gradient(y); }

private:
    template <class Y> decltype(auto) cast() const { return matrix.template cast<typename Y::Scalar>(); }
    template <class Y> typename Y::Scalar share(double factor) const { return typename Y::Scalar(factor / double(matrix.rows())); }
    template <class Y> vector<Y> residual(const Y& y) const { return cast<Y>() * y - target.template cast<typename Y::Scalar>(); }
};

}  // namespace bilevel::objective
