// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

#include <cmath>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm and what is done channel by channel, by plain loops; see `channel_kernels` and `normalisation_kernels` in primitives.hpp.
template <class Scalar> struct reference_normalisation {
    void channel_scale(view<Scalar> y, view<const Scalar> x, view<const Scalar> k, bool accumulate) {
        for_each_element(y, k.size, [=](integer t, integer i, integer q) { put(y.at(t)[i], x.at(t)[i] * k.at(t)[q], accumulate); });
    }
    void channel_shift(view<Scalar> y, view<const Scalar> k, bool accumulate) {
        for_each_element(y, k.size, [=](integer t, integer i, integer q) { put(y.at(t)[i], k.at(t)[q], accumulate); });
    }
    void channel_sum(view<Scalar> s, view<const Scalar> a, bool accumulate) {
        for_each_channel(
            s, [=](integer t, integer q) { put(s.at(t)[q], sum(a, s.size, q, [=](integer i) { return a.at(t)[i]; }), accumulate); });
    }
    void channel_dot(view<Scalar> s, view<const Scalar> a, view<const Scalar> b, bool accumulate) {
        for_each_channel(s, [=](integer t, integer q) {
            put(s.at(t)[q], sum(a, s.size, q, [=](integer i) { return a.at(t)[i] * b.at(t)[i]; }), accumulate);
        });
    }
    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) { channel_shift(y, b, accumulate); }
    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) { channel_sum(b, y, accumulate); }

    void normalise(view<Scalar> n, view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar epsilon) {
        for_each_channel(r, [=](integer t, integer q) {
            const Scalar m = sum(x, r.size, q, [=](integer i) { return x.at(t)[i]; }) / positions(x, r.size);
            const Scalar squares = sum(x, r.size, q, [=](integer i) { return (x.at(t)[i] - m) * (x.at(t)[i] - m); });
            mean.at(t)[q] = m;
            r.at(t)[q] = inverse_deviation(squares / positions(x, r.size), epsilon);
        });
        standardise(n, x, mean, r);
    }

    void normalise_with(view<Scalar> n, view<Scalar> r, view<const Scalar> x, view<const Scalar> mean, view<const Scalar> variance,
                        Scalar epsilon) {
        for_each_channel(r, [=](integer t, integer q) { r.at(t)[q] = inverse_deviation(variance.at(t)[q], epsilon); });
        standardise(n, x, mean, r);
    }

    void normalise_tangent(view<Scalar> dn, view<Scalar> dr, view<const Scalar> dx, view<const Scalar> n, view<const Scalar> r) {
        const integer channels = r.size;
        for_each_channel(dr, [=](integer t, integer q) {
            const Scalar mean = sum(dx, channels, q, [=](integer i) { return dx.at(t)[i]; }) / positions(dx, channels);
            const Scalar dot = sum(dx, channels, q, [=](integer i) { return dx.at(t)[i] * n.at(t)[i]; }) / positions(dx, channels);
            const Scalar k = r.at(t)[q];
            dr.at(t)[q] = -(k * k) * dot;
            for (integer i = q; i < dn.batch * dn.size; i += channels) dn.at(t)[i] = k * (dx.at(t)[i] - mean - n.at(t)[i] * dot);
        });
    }

    void batch_norm_backward(view<Scalar> dx, view<const Scalar> gain, view<const Scalar> r, view<const Scalar> dy,
                             view<const Scalar> dbeta, view<const Scalar> n, view<const Scalar> dgamma, bool accumulate) {
        const Scalar count = positions(dx, r.size);
        for_each_element(dx, r.size, [=](integer t, integer i, integer q) {
            const Scalar centred = dy.at(t)[i] - dbeta.at(t)[q] / count - n.at(t)[i] * dgamma.at(t)[q] / count;
            put(dx.at(t)[i], gain.at(t)[q] * r.at(t)[q] * centred, accumulate);
        });
    }

    void batch_norm_backward_moved(view<Scalar> dx, view<const Scalar> gain, view<const Scalar> r, view<const Scalar> a,
                                   view<const Scalar> dgamma) {
        const Scalar count = positions(dx, r.size);
        for_each_element(dx, r.size, [=](integer t, integer i, integer q) {
            dx.at(t)[i] -= gain.at(t)[q] * r.at(t)[q] * a.at(t)[i] * dgamma.at(t)[q] / count;
        });
    }

private:
    static void put(Scalar& out, Scalar value, bool accumulate) { out = accumulate ? out + value : value; }
    static Scalar positions(view<const Scalar> x, integer channels) { return Scalar(x.batch * x.size / channels); }
    static Scalar inverse_deviation(Scalar variance, Scalar epsilon) {
        using std::sqrt;
        return Scalar(1) / sqrt(variance + epsilon);
    }
    static void standardise(view<Scalar> n, view<const Scalar> x, view<const Scalar> mean, view<const Scalar> r) {
        for_each_element(n, r.size, [=](integer t, integer i, integer q) { n.at(t)[i] = (x.at(t)[i] - mean.at(t)[q]) * r.at(t)[q]; });
    }

    /// f(task, element, channel): the channel is the last axis of x.
    template <class F> static void for_each_element(view<Scalar> x, integer channels, F f) {
        for (integer t = 0; t < x.tasks; ++t)
            for (integer i = 0; i < x.batch * x.size; ++i) f(t, i, i % channels);
    }
    template <class F> static void for_each_channel(view<Scalar> s, F f) {
        for (integer t = 0; t < s.tasks; ++t)
            for (integer q = 0; q < s.size; ++q) f(t, q);
    }
    /// Σ term(i) over the elements i of channel q.
    template <class Term> static Scalar sum(view<const Scalar> x, integer channels, integer q, Term term) {
        Scalar total(0);
        for (integer i = q; i < x.batch * x.size; i += channels) total += term(i);
        return total;
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
