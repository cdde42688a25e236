// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

#include <cmath>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Losses by plain loops; see `loss_kernels` in primitives.hpp.
template <class Scalar> struct reference_loss {
    void softmax_cross_entropy(view<Scalar> loss, view<Scalar> p, view<const Scalar> z, view<const int> labels) {
        using std::exp, std::log;
        for (integer t = 0; t < z.tasks; ++t) {
            Scalar total(0);
            for (integer b = 0; b < z.batch; ++b) {
                const Scalar* const logits = z.at(t, b);
                Scalar* const probabilities = p.at(t, b);
                Scalar largest = logits[0];
                for (integer q = 1; q < z.size; ++q)
                    if (logits[q] > largest) largest = logits[q];
                Scalar sum(0);
                for (integer q = 0; q < z.size; ++q) sum += (probabilities[q] = exp(logits[q] - largest));
                for (integer q = 0; q < z.size; ++q) probabilities[q] = probabilities[q] / sum;
                total += log(sum) - (logits[*labels.at(t, b)] - largest);
            }
            *loss.at(t) = total / Scalar(z.batch);
        }
    }

    void softmax_tangent(view<Scalar> dp, view<const Scalar> p, view<const Scalar> dz) {
        for (integer t = 0; t < p.tasks; ++t)
            for (integer b = 0; b < p.batch; ++b) {
                const Scalar mean = dot(p.at(t, b), dz.at(t, b), p.size);
                for (integer q = 0; q < p.size; ++q) dp.at(t, b)[q] = p.at(t, b)[q] * (dz.at(t, b)[q] - mean);
            }
    }

    void cross_entropy_tangent(view<Scalar> dloss, view<const Scalar> p, view<const Scalar> dz, view<const int> labels) {
        for (integer t = 0; t < p.tasks; ++t) {
            Scalar total(0);
            for (integer b = 0; b < p.batch; ++b) total += dot(p.at(t, b), dz.at(t, b), p.size) - dz.at(t, b)[*labels.at(t, b)];
            *dloss.at(t) = total / Scalar(p.batch);
        }
    }

    void cross_entropy_backward(view<Scalar> dz, view<const Scalar> p, view<const int> labels) {
        for (integer t = 0; t < p.tasks; ++t)
            for (integer b = 0; b < p.batch; ++b)
                for (integer q = 0; q < p.size; ++q) {
                    const Scalar target = q == *labels.at(t, b) ? Scalar(1) : Scalar(0);
                    dz.at(t, b)[q] = (p.at(t, b)[q] - target) / Scalar(p.batch);
                }
    }

    void squared_error(view<Scalar> loss, view<Scalar> residual, view<const Scalar> z, view<const Scalar> target) {
        for (integer t = 0; t < z.tasks; ++t) {
            const integer count = z.batch * z.size;
            for (integer i = 0; i < count; ++i) residual.at(t)[i] = z.at(t)[i] - target.at(t)[i];
            *loss.at(t) = dot(residual.at(t), residual.at(t), count) / Scalar(count);
        }
    }

    void squared_error_tangent(view<Scalar> dloss, view<const Scalar> residual, view<const Scalar> dz) {
        for (integer t = 0; t < dz.tasks; ++t) {
            const integer count = dz.batch * dz.size;
            *dloss.at(t) = Scalar(2) * dot(residual.at(t), dz.at(t), count) / Scalar(count);
        }
    }

    void count_correct(view<Scalar> count, view<const Scalar> z, view<const int> labels) {
        for (integer t = 0; t < z.tasks; ++t) {
            integer correct = 0;
            for (integer b = 0; b < z.batch; ++b) correct += is_first_largest(z.at(t, b), z.size, *labels.at(t, b)) ? 1 : 0;
            *count.at(t) = Scalar(correct);
        }
    }

private:
    static Scalar dot(const Scalar* a, const Scalar* b, integer count) {
        Scalar sum(0);
        for (integer i = 0; i < count; ++i) sum += a[i] * b[i];
        return sum;
    }

    /// False where any of the logits is NaN.
    static bool is_first_largest(const Scalar* logits, integer count, integer label) {
        for (integer q = 0; q < count; ++q) {
            const bool below = q < label ? logits[q] < logits[label] : logits[q] <= logits[label];
            if (!below) return false;
        }
        return true;
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
