// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/dual.hpp>
#include <bilevel/core/eigen.hpp>
#include <bilevel/core/integer.hpp>

#include <math.h>  // whose functions of plain numbers are found without std:: too

#include <concepts>
#include <utility>

// Eigen's vectors of dual numbers, also where they meet plain ones:  2.0 * y,  A * y  with a matrix A of the backend's scalar.
template <class Scalar> struct Eigen::NumTraits<bilevel::dual<Scalar>> : Eigen::NumTraits<Scalar> {
    using Real = bilevel::dual<Scalar>;
    using NonInteger = bilevel::dual<Scalar>;
    using Nested = bilevel::dual<Scalar>;
    using Literal = bilevel::dual<Scalar>;
    enum { RequireInitialization = 1 };
};
template <class Scalar, class Operation> struct Eigen::ScalarBinaryOpTraits<bilevel::dual<Scalar>, double, Operation> {
    using ReturnType = bilevel::dual<Scalar>;
};
template <class Scalar, class Operation> struct Eigen::ScalarBinaryOpTraits<double, bilevel::dual<Scalar>, Operation> {
    using ReturnType = bilevel::dual<Scalar>;
};
template <class Scalar, class Operation> struct Eigen::ScalarBinaryOpTraits<bilevel::dual<Scalar>, float, Operation> {
    using ReturnType = bilevel::dual<Scalar>;
};
template <class Scalar, class Operation> struct Eigen::ScalarBinaryOpTraits<float, bilevel::dual<Scalar>, Operation> {
    using ReturnType = bilevel::dual<Scalar>;
};

namespace bilevel::objective {

// The two kinds of functions that `differentiated` takes.
template <class Function, class Y> concept function_of_one_vector = std::invocable<const Function&, const Y&>;
template <class Function, class X, class Y> concept function_of_two_vectors = std::invocable<const Function&, const X&, const Y&>;

/// An objective from its value alone, a generic function of one vector y or of two vectors x, y: the derivatives are exact, by dual numbers
/// [Clifford1873], nested for those of second order. The function is written for any scalar:
///
///     differentiated{[](const auto& y) { return y.squaredNorm() + sin(y[0]); }}
///
/// with sqrt, exp, log, log1p, sin, cos, tanh, pow and abs (without `std::`, so that they are found for dual numbers too), with vectors and matrices of the
/// backend's scalar that it has captured, and with sums that begin as an element does (`auto sum = 0.0 * y[0]`). Each gradient or product runs the function once for every element that it
/// gives: this is for small dimensions. A function of x and y is taken to depend on both; of one that is meant as an outer objective, write it so.
template <class Function> struct differentiated {
    Function function;

    explicit differentiated(Function f) : function(std::move(f)) {}

    template <class Y> using vector = Eigen::Matrix<typename Y::Scalar, Eigen::Dynamic, 1>;

    template <class Y>
        requires function_of_one_vector<Function, Y>
    typename Y::Scalar value(const Y& y) const {
        return function(y);
    }
    /// ∂f/∂y; costs dim y values.
    template <class Y>
        requires function_of_one_vector<Function, Y>
    vector<Y> gradient(const Y& y) const {
        return along_each(y, [this](const auto& moving) { return function(moving); });
    }
    /// ∇²f(y) v; costs dim y values.
    template <class Y, class V>
        requires function_of_one_vector<Function, Y>
    vector<Y> hessian_vector(const Y& y, const V& v) const {
        return along_each_and(y, y, v, [this](const auto& moving, const auto& y_moving) { return function(add_moves(moving, y_moving)); });
    }

    template <class X, class Y>
        requires function_of_two_vectors<Function, X, Y>
    typename Y::Scalar value(const X& x, const Y& y) const {
        return function(x, y);
    }
    /// ∂f/∂y; costs dim y values.
    template <class X, class Y>
        requires function_of_two_vectors<Function, X, Y>
    vector<Y> gradient_y(const X& x, const Y& y) const {
        const auto still = constant(x);
        return along_each(y, [&](const auto& moving) { return function(still, moving); });
    }
    /// ∂f/∂x; costs dim x values.
    template <class X, class Y>
        requires function_of_two_vectors<Function, X, Y>
    vector<X> gradient_x(const X& x, const Y& y) const {
        const auto still = constant(y);
        return along_each(x, [&](const auto& moving) { return function(moving, still); });
    }
    /// ∇²_yy f(x, y) v; costs dim y values.
    template <class X, class Y, class V>
        requires function_of_two_vectors<Function, X, Y>
    vector<Y> hessian_vector(const X& x, const Y& y, const V& v) const {
        const auto still = constant(constant(x));
        return along_each_and(y, y, v,
                              [&](const auto& moving, const auto& y_moving) { return function(still, add_moves(moving, y_moving)); });
    }
    /// ∇ₓ⟨∇_y f(x, y), v⟩; costs dim x values.    // -> (dim x)
    template <class X, class Y, class V>
        requires function_of_two_vectors<Function, X, Y>
    vector<X> mixed_product(const X& x, const Y& y, const V& v) const {
        return along_each_and(x, y, v, [&](const auto& x_moving, const auto& y_moving) { return function(x_moving, y_moving); });
    }

private:
    template <class Y> using duals = Eigen::Matrix<dual<typename Y::Scalar>, Eigen::Dynamic, 1>;

    template <class Y> static duals<Y> constant(const Y& y) {
        duals<Y> all(y.size());
        for (integer i = 0; i < y.size(); ++i) all[i] = dual<typename Y::Scalar>(y[i]);
        return all;
    }
    /// The derivative of f along each axis of y in turn.
    template <class Y, class F> static vector<Y> along_each(const Y& y, F f) {
        using scalar = typename Y::Scalar;
        duals<Y> moving = constant(y);
        vector<Y> result(y.size());
        for (integer i = 0; i < y.size(); ++i) {
            moving[i].derivative = scalar(1);
            result[i] = dual<scalar>(f(moving)).derivative;
            moving[i].derivative = scalar(0);
        }
        return result;
    }
    /// The second derivatives of f(p, y): along each axis of p in turn, and along v of y.
    template <class P, class Y, class V, class F> static vector<P> along_each_and(const P& p, const Y& y, const V& v, F f) {
        using scalar = typename Y::Scalar;
        duals<Y> along(y.size());
        for (integer i = 0; i < y.size(); ++i) along[i] = dual<scalar>(y[i], v[i]);
        const auto y_moving = constant(along);  // its inner derivative is v, its outer one nothing
        const auto p_still = constant(p);
        return along_each(p_still, [&](const auto& moving) { return f(moving, y_moving); }).unaryExpr([](const auto& d) {
            return d.derivative;
        });
    }
    /// Of two readings of one vector with the same values: a vector that moves as both do.
    template <class D> static D add_moves(D a, const D& b) {
        for (integer i = 0; i < a.size(); ++i) {
            a[i].value.derivative += b[i].value.derivative;
            a[i].derivative += b[i].derivative;
        }
        return a;
    }
};
template <class Function> differentiated(Function) -> differentiated<Function>;

}  // namespace bilevel::objective
