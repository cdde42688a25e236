// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/positive_in.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace bilevel::objective {

/// ℓ2-regularised multinomial logistic regression,  min over W, b of  ½ ‖W‖² + C Σ_i −log softmax(Wᵀ z_i + b)[label_i],  by L-BFGS [Liu89]; the bias is
/// not penalised. It is convex, so that the solution does not depend on the start. In double, on the host: k·m unknowns of a few-shot task. Its functions
/// are templates for one reason: a program that does not call them does not compile Eigen's products for them, which took every unit 2 s.
struct logistic_regression {
    double inverse_regularisation = 3;  // C
    integer iterations = 200;
    double tolerance = 1e-6;  // on the largest element of the gradient, relative to that at zero

    using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    struct solution {
        matrix weights;  // (k, m)
        Eigen::VectorXd bias;  // (m)
        double value = 0;
        integer iterations = 0;
        double gradient = 0;  // its largest element at the solution
    };

    void check() const {
        if (!positive_in<double>(inverse_regularisation))
            throw argument_error("logistic_regression: C is " + std::to_string(inverse_regularisation) + ", expected a positive number");
        if (iterations < 0 || !(tolerance >= 0))
            throw argument_error("logistic_regression: iterations and tolerance are " + std::to_string(iterations) + " and " +
                                 std::to_string(tolerance) + ", expected 0 or more");
    }

    /// Of features that are not finite, all of the solution is NaN. Throws `argument_error` where there is not one label a row of the features, or a label is no
    /// class.    // features (n, k), labels 0 … classes − 1
    template <std::same_as<matrix> Features>
    solution operator()(const Features& features, const std::vector<int>& labels, integer classes) const {
        check();
        require_labels(labels, features.rows(), classes);
        const integer k = features.cols(), size = (k + 1) * classes;
        Eigen::VectorXd w = Eigen::VectorXd::Zero(size), g(size), next_g(size), next(size);
        double value = evaluate(features, labels, classes, w, g);
        const double scale = g.lpNorm<Eigen::Infinity>();
        std::deque<std::pair<Eigen::VectorXd, Eigen::VectorXd>> pairs;  // (step, change of the gradient)
        integer i = 0;
        for (; i < iterations && g.lpNorm<Eigen::Infinity>() > tolerance * scale; ++i) {
            Eigen::VectorXd direction = -two_loops(pairs, g);
            double slope = direction.dot(g), length = pairs.empty() ? 1 / std::max(1.0, g.norm()) : 1;
            if (!(slope < 0)) {  // rounding has eaten the curvature: begin again from steepest descent
                pairs.clear();
                direction = -g;
                slope = -g.squaredNorm();
                length = 1 / std::max(1.0, g.norm());
            }
            double next_value = 0;
            bool lower = false;
            for (int halvings = 0; halvings < 50 && !lower; ++halvings) {
                next = w + length * direction;
                next_value = evaluate(features, labels, classes, next, next_g);
                lower = next_value <= value + 1e-4 * length * slope;
                if (!lower) length /= 2;
            }
            if (!lower) break;  // no representable step goes down: this is the minimum
            Eigen::VectorXd step = next - w, change = next_g - g;
            if (step.dot(change) > 1e-12 * change.squaredNorm()) {
                pairs.emplace_back(std::move(step), std::move(change));
                if (pairs.size() > 10) pairs.pop_front();
            }
            w = next;
            g = next_g;
            value = next_value;
        }
        if (!std::isfinite(value)) w.setConstant(value - value);  // there is no minimum: NaN, where zeros would answer by chance
        return {Eigen::Map<const matrix>(w.data(), k, classes), w.tail(classes), value, i, g.lpNorm<Eigen::Infinity>()};
    }

private:
    static void require_labels(const std::vector<int>& labels, integer examples, integer classes) {
        if (integer(labels.size()) != examples)
            throw argument_error("logistic_regression: " + std::to_string(labels.size()) + " labels for " + std::to_string(examples) +
                                 " rows of features");
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (labels[i] < 0 || labels[i] >= classes)
                throw argument_error("logistic_regression: label " + std::to_string(labels[i]) + " of example " + std::to_string(i) +
                                     " is not in 0 ... " + std::to_string(classes - 1));
    }
    template <class Features>
    double evaluate(const Features& features, const std::vector<int>& labels, integer classes, const Eigen::VectorXd& w,
                    Eigen::VectorXd& g) const {
        const integer n = features.rows(), k = features.cols();
        const Eigen::Map<const matrix> weights(w.data(), k, classes);
        matrix z = features * weights;
        z.rowwise() += w.tail(classes).transpose();
        double value = 0.5 * weights.squaredNorm();
        for (integer i = 0; i < n; ++i) {
            const double largest = z.row(i).maxCoeff();
            const double sum = (z.row(i).array() - largest).exp().sum();
            value += inverse_regularisation * (std::log(sum) + largest - z(i, labels[std::size_t(i)]));
            z.row(i) = (z.row(i).array() - largest).exp() / sum;
            z(i, labels[std::size_t(i)]) -= 1;
        }
        Eigen::Map<matrix>(g.data(), k, classes) = weights + inverse_regularisation * (features.transpose() * z);
        g.tail(classes) = inverse_regularisation * z.colwise().sum().transpose();
        return value;
    }

    // The L-BFGS approximation of the inverse Hessian times g.
    template <class Vector> static Vector two_loops(const std::deque<std::pair<Vector, Vector>>& pairs, const Vector& g) {
        Vector q = g;
        std::vector<double> alpha(pairs.size());
        for (std::size_t i = pairs.size(); i-- > 0;) {
            const auto& [s, y] = pairs[i];
            alpha[i] = s.dot(q) / s.dot(y);
            q -= alpha[i] * y;
        }
        if (!pairs.empty()) q *= pairs.back().first.dot(pairs.back().second) / pairs.back().second.squaredNorm();
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const auto& [s, y] = pairs[i];
            q += (alpha[i] - y.dot(q) / s.dot(y)) * s;
        }
        return q;
    }
};

}  // namespace bilevel::objective
