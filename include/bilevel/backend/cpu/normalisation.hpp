// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <cmath>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm and what is done channel by channel; see `channel_kernels` and `normalisation_kernels` in primitives.hpp.
template <class Scalar> class cpu_normalisation {
public:
    void channel_scale(view<Scalar> y, view<const Scalar> x, view<const Scalar> k, bool accumulate) {
        for (integer t = 0; t < y.tasks; ++t)
            write(y.at(t), positions(y, k.size), k.size, accumulate,
                  [in = x.at(t), by = k.at(t)](integer i, integer q) { return in[i] * by[q]; });
    }
    void channel_shift(view<Scalar> y, view<const Scalar> k, bool accumulate) {
        for (integer t = 0; t < y.tasks; ++t)
            write(y.at(t), positions(y, k.size), k.size, accumulate, [by = k.at(t)](integer, integer q) { return by[q]; });
    }
    void channel_sum(view<Scalar> s, view<const Scalar> a, bool accumulate) {
        for (integer t = 0; t < s.tasks; ++t)
            write_sums(s.at(t), positions(a, s.size), s.size, accumulate, [in = a.at(t)](integer i, integer) { return in[i]; });
    }
    void channel_dot(view<Scalar> s, view<const Scalar> a, view<const Scalar> b, bool accumulate) {
        for (integer t = 0; t < s.tasks; ++t)
            write_sums(s.at(t), positions(a, s.size), s.size, accumulate,
                       [left = a.at(t), right = b.at(t)](integer i, integer) { return left[i] * right[i]; });
    }
    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) { channel_shift(y, b, accumulate); }
    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) { channel_sum(b, y, accumulate); }

    void normalise(view<Scalar> n, view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar epsilon) {
        const integer count = positions(x, r.size);
        for (integer t = 0; t < n.tasks; ++t) {
            const Scalar* const in = x.at(t);
            Scalar *const m = mean.at(t), *const inverse = r.at(t);
            by_channel::sum(
                count, r.size, [=](integer i, integer) { return in[i]; }, [=](integer q, Scalar sum) { m[q] = sum / Scalar(count); });
            by_channel::sum(
                count, r.size, [=](integer i, integer q) { return (in[i] - m[q]) * (in[i] - m[q]); },
                [=](integer q, Scalar sum) { inverse[q] = inverse_deviation(sum / Scalar(count), epsilon); });
            standardise(n.at(t), in, m, inverse, count, r.size);
        }
    }

    void normalise_with(view<Scalar> n, view<Scalar> r, view<const Scalar> x, view<const Scalar> mean, view<const Scalar> variance,
                        Scalar epsilon) {
        for (integer t = 0; t < n.tasks; ++t) {
            for (integer q = 0; q < r.size; ++q) r.at(t)[q] = inverse_deviation(variance.at(t)[q], epsilon);
            standardise(n.at(t), x.at(t), mean.at(t), r.at(t), positions(x, r.size), r.size);
        }
    }

    void normalise_tangent(view<Scalar> dn, view<Scalar> dr, view<const Scalar> dx, view<const Scalar> n, view<const Scalar> r) {
        const integer count = positions(dx, r.size);
        Scalar *const mean = scratch(0, r.size), *const dot = scratch(1, r.size);
        for (integer t = 0; t < dn.tasks; ++t) {
            const Scalar *const in = dx.at(t), *const normalised = n.at(t), *const inverse = r.at(t);
            Scalar *const out = dn.at(t), *const moved = dr.at(t);
            by_channel::sum(
                count, r.size, [=](integer i, integer) { return in[i]; }, [=](integer q, Scalar sum) { mean[q] = sum / Scalar(count); });
            by_channel::sum(
                count, r.size, [=](integer i, integer) { return in[i] * normalised[i]; },
                [=](integer q, Scalar sum) {
                    dot[q] = sum / Scalar(count);
                    moved[q] = -(inverse[q] * inverse[q]) * dot[q];
                });
            by_channel::for_each(count, r.size,
                                 [=](integer i, integer q) { out[i] = inverse[q] * (in[i] - mean[q] - normalised[i] * dot[q]); });
        }
    }

    void batch_norm_backward(view<Scalar> dx, view<const Scalar> gain, view<const Scalar> r, view<const Scalar> dy,
                             view<const Scalar> dbeta, view<const Scalar> n, view<const Scalar> dgamma, bool accumulate) {
        const integer count = positions(dx, r.size);
        Scalar *const factor = scratch(0, r.size), *const mean = scratch(1, r.size), *const dot = scratch(2, r.size);
        for (integer t = 0; t < dx.tasks; ++t) {
            for (integer q = 0; q < r.size; ++q) {
                factor[q] = gain.at(t)[q] * r.at(t)[q];
                mean[q] = dbeta.at(t)[q] / Scalar(count);
                dot[q] = dgamma.at(t)[q] / Scalar(count);
            }
            write(dx.at(t), count, r.size, accumulate, [=, in = dy.at(t), normalised = n.at(t)](integer i, integer q) {
                return factor[q] * (in[i] - mean[q] - normalised[i] * dot[q]);
            });
        }
    }

    void batch_norm_backward_moved(view<Scalar> dx, view<const Scalar> gain, view<const Scalar> r, view<const Scalar> a,
                                   view<const Scalar> dgamma) {
        const integer count = positions(dx, r.size);
        Scalar* const factor = scratch(0, r.size);
        for (integer t = 0; t < dx.tasks; ++t) {
            for (integer q = 0; q < r.size; ++q) factor[q] = -(gain.at(t)[q] * r.at(t)[q] * dgamma.at(t)[q] / Scalar(count));
            write(dx.at(t), count, r.size, true, [=, in = a.at(t)](integer i, integer q) { return factor[q] * in[i]; });
        }
    }

private:
    static integer positions(const view<const Scalar>& x, integer channels) { return x.batch * x.size / channels; }
    static Scalar inverse_deviation(Scalar variance, Scalar epsilon) { return Scalar(1) / std::sqrt(variance + epsilon); }

    template <class Term> static void write(Scalar* out, integer positions, integer channels, bool accumulate, Term term) {
        if (accumulate) {
            by_channel::for_each(positions, channels, [=](integer i, integer q) { out[i] += term(i, q); });
        } else {
            by_channel::for_each(positions, channels, [=](integer i, integer q) { out[i] = term(i, q); });
        }
    }
    template <class Term> static void write_sums(Scalar* out, integer positions, integer channels, bool accumulate, Term term) {
        by_channel::sum(positions, channels, term, [=](integer q, Scalar sum) { out[q] = accumulate ? out[q] + sum : sum; });
    }
    static void standardise(Scalar* n, const Scalar* x, const Scalar* mean, const Scalar* r, integer positions, integer channels) {
        by_channel::for_each(positions, channels, [=](integer i, integer q) { n[i] = (x[i] - mean[q]) * r[q]; });
    }

    /// The i-th of three vectors of one element a channel.
    Scalar* scratch(integer i, integer channels) {
        if (static_cast<integer>(scratch_.size()) < 3 * channels) scratch_.resize(static_cast<std::size_t>(3 * channels));
        return scratch_.data() + i * channels;
    }

    aligned_vector<Scalar> scratch_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
