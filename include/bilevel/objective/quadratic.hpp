// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/integer.hpp>

#include <cmath>

namespace bilevel::objective {

/// f(w) = ½ a ‖w − c‖²: the smallest objective with known answers. Serves both levels of an episode, and as an outer objective f(x, y) that does not
/// see x. A scalar of any kind may be put in.
struct quadratic {
    double curvature = 1;  // a
    Eigen::VectorXd centre;  // c

    template <class Y> using vector = Eigen::Matrix<typename Y::Scalar, Eigen::Dynamic, 1>;

    template <class Y> typename Y::Scalar value(const Y& y) const {
        return typename Y::Scalar(0.5 * curvature) * from_centre(y).squaredNorm();
    }
    /// a (w − c)
    template <class Y> vector<Y> gradient(const Y& y) const { return typename Y::Scalar(curvature) * from_centre(y); }
    /// a v
    template <class Y, class V> vector<Y> hessian_vector(const Y&, const V& v) const { return typename Y::Scalar(curvature) * v; }

    template <class X, class Y> typename Y::Scalar value(const X&, const Y& y) const { return value(y); }
    template <class X, class Y> vector<Y> gradient_y(const X&, const Y& y) const { return gradient(y); }

    /// Where k steps of gradient descent of size α end:  c + (1 − α a)^k (y₀ − c).
    Eigen::VectorXd descended(const Eigen::VectorXd& start, integer steps, double step_size) const {
        return centre + std::pow(1 - step_size * curvature, double(steps)) * (start - centre);
    }
    /// The minimiser of  f(w) + λ/2 ‖w − x‖²:  (a c + λ x) / (a + λ).
    Eigen::VectorXd pulled(const Eigen::VectorXd& x, double weight) const {
        return (curvature * centre + weight * x) / (curvature + weight);
    }

private:
    template <class Y> vector<Y> from_centre(const Y& y) const { return y - centre.template cast<typename Y::Scalar>(); }
};

}  // namespace bilevel::objective
