// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm, and the activation and pooling behind it, by plain loops; see `batch_norm_kernels` in primitives.hpp.
template <class Scalar> struct reference_batch_norm {
    void moments(view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar epsilon) {
        for_each_channel(r, [=](integer t, integer q) {
            const Scalar m = sum(x, r.size, q, [=](integer i) { return x.at(t)[i]; }) / positions(x, r.size);
            const Scalar squares = sum(x, r.size, q, [=](integer i) { return (x.at(t)[i] - m) * (x.at(t)[i] - m); });
            mean.at(t)[q] = m;
            r.at(t)[q] = inverse_deviation_of(squares / positions(x, r.size), epsilon);
        });
    }
    void inverse_deviation(view<Scalar> r, view<const Scalar> variance, Scalar epsilon) {
        for_each_channel(r, [=](integer t, integer q) { r.at(t)[q] = inverse_deviation_of(variance.at(t)[q], epsilon); });
    }
    void moments_tangent(view<Scalar> dmean, view<Scalar> dr, view<const Scalar> dx, const normalised<Scalar>& of) {
        for_each_channel(dr, [=](integer t, integer q) {
            const integer channels = dr.size;
            const Scalar count = positions(dx, channels), r = of.r.at(t)[q];
            dmean.at(t)[q] = sum(dx, channels, q, [=](integer i) { return dx.at(t)[i]; }) / count;
            dr.at(t)[q] = -(r * r) * sum(dx, channels, q, [=](integer i) { return dx.at(t)[i] * n(of, t, i, q); }) / count;
        });
    }

    void batch_norm(view<Scalar> y, view<std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        for_each_output(y, of.x, argmax.size > 0, [=](integer t, integer out, integer q, const window& at) {
            integer best = 0;
            Scalar largest = z(of, t, at[0], q);
            for (integer k = 1; k < at.size; ++k) {
                const Scalar value = z(of, t, at[k], q);
                if (largest == largest && !(value <= largest)) {
                    largest = value;
                    best = k;
                }
            }
            y.at(t)[out] = follows.is_linear() || largest > Scalar(0) ? largest : follows.slope * largest;
            if (argmax.size > 0) argmax.at(t)[out] = static_cast<std::uint8_t>(best);
        });
    }
    void batch_norm_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                            const normalised<Scalar>& moved, activation<Scalar> follows) {
        for_each_output(dy, of.x, argmax.size > 0, [=](integer t, integer out, integer q, const window& at) {
            const integer i = at[chosen(argmax, t, out)];
            Scalar dz = of.gain.at(t)[q] * dn(of, moved, t, i, q);
            if (moves(moved.gain)) dz += moved.gain.at(t)[q] * n(of, t, i, q);
            if (moves(moved.shift)) dz += moved.shift.at(t)[q];
            dy.at(t)[out] = dz * factor(y, t, out, follows);
        });
    }

    void batch_norm_sums(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> y,
                         view<const std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        clear(dgain);
        clear(dshift);
        for_each_output(dy, of.x, argmax.size > 0, [=](integer t, integer out, integer q, const window& at) {
            const Scalar dz = dy.at(t)[out] * factor(y, t, out, follows);
            dshift.at(t)[q] += dz;
            dgain.at(t)[q] += dz * n(of, t, at[chosen(argmax, t, out)], q);
        });
    }
    void batch_norm_sums_tangent(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> dy_moved,
                                 view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                 const normalised<Scalar>& moved, activation<Scalar> follows) {
        clear(dgain);
        clear(dshift);
        for_each_output(dy, of.x, argmax.size > 0, [=](integer t, integer out, integer q, const window& at) {
            const integer i = at[chosen(argmax, t, out)];
            const Scalar slope = factor(y, t, out, follows);
            dshift.at(t)[q] += dy_moved.at(t)[out] * slope;
            dgain.at(t)[q] += slope * (dy_moved.at(t)[out] * n(of, t, i, q) + dy.at(t)[out] * dn(of, moved, t, i, q));
        });
    }

    void batch_norm_backward(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dy,
                             view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                             activation<Scalar> follows) {
        for_each_input(dx, of, [=](integer t, integer i, integer q) {
            const Scalar count = positions(dx, of.r.size);
            dx.at(t)[i] = of.gain.at(t)[q] * of.r.at(t)[q] * (-dshift.at(t)[q] / count - n(of, t, i, q) * dgain.at(t)[q] / count);
        });
        for_each_output(dy, of.x, argmax.size > 0, [=](integer t, integer out, integer q, const window& at) {
            dx.at(t)[at[chosen(argmax, t, out)]] += of.gain.at(t)[q] * of.r.at(t)[q] * (dy.at(t)[out] * factor(y, t, out, follows));
        });
    }
    void batch_norm_backward_tangent(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dgain_moved,
                                     view<const Scalar> dshift_moved, view<const Scalar> dy, view<const Scalar> dy_moved,
                                     view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                     const normalised<Scalar>& moved, activation<Scalar> follows) {
        const auto factors = [=](integer t, integer q) {
            Scalar k = Scalar(0);
            if (moves(moved.gain)) k += moved.gain.at(t)[q] * of.r.at(t)[q];
            if (moves(moved.r)) k += of.gain.at(t)[q] * moved.r.at(t)[q];
            return k;
        };
        for_each_input(dx, of, [=](integer t, integer i, integer q) {
            const Scalar count = positions(dx, of.r.size);
            const Scalar centred = -dshift_moved.at(t)[q] / count - dn(of, moved, t, i, q) * dgain.at(t)[q] / count -
                                   n(of, t, i, q) * dgain_moved.at(t)[q] / count;
            dx.at(t)[i] = of.gain.at(t)[q] * of.r.at(t)[q] * centred +
                          factors(t, q) * (-dshift.at(t)[q] / count - n(of, t, i, q) * dgain.at(t)[q] / count);
        });
        for_each_output(dy, of.x, argmax.size > 0, [=](integer t, integer out, integer q, const window& at) {
            const Scalar slope = factor(y, t, out, follows);
            dx.at(t)[at[chosen(argmax, t, out)]] +=
                slope * (factors(t, q) * dy.at(t)[out] + of.gain.at(t)[q] * of.r.at(t)[q] * dy_moved.at(t)[out]);
        });
    }

private:
    static bool moves(const view<const Scalar>& tangent) { return tangent.size > 0; }
    static Scalar positions(view<const Scalar> x, integer channels) { return Scalar(x.batch * x.size / channels); }
    static Scalar n(const normalised<Scalar>& of, integer t, integer i, integer q) {
        return (of.x.at(t)[i] - of.mean.at(t)[q]) * of.r.at(t)[q];
    }
    static Scalar dn(const normalised<Scalar>& of, const normalised<Scalar>& moved, integer t, integer i, integer q) {
        if (!moves(moved.x)) return Scalar(0);
        return (moved.x.at(t)[i] - moved.mean.at(t)[q]) * of.r.at(t)[q] + (of.x.at(t)[i] - of.mean.at(t)[q]) * moved.r.at(t)[q];
    }
    static Scalar z(const normalised<Scalar>& of, integer t, integer i, integer q) {
        return of.gain.at(t)[q] * n(of, t, i, q) + of.shift.at(t)[q];
    }
    static Scalar factor(view<const Scalar> y, integer t, integer out, activation<Scalar> follows) {
        return follows.is_linear() || y.at(t)[out] > Scalar(0) ? Scalar(1) : follows.slope;
    }
    static integer chosen(view<const std::uint8_t> argmax, integer t, integer out) { return argmax.size > 0 ? argmax.at(t)[out] : 0; }

    /// The elements of x that one of y is the largest of.
    struct window {
        integer size, first, right, below;
        integer operator[](integer k) const { return first + (k % 2 != 0 ? right : 0) + (k >= 2 ? below : 0); }
    };
    /// f(task, element of y, channel, window in x).
    template <class Y, class F> static void for_each_output(view<Y> y, view<const Scalar> x, bool pooled, F f) {
        const integer channels = x.extents[2], row = x.extents[1] * channels, step = pooled ? 2 : 1;
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b)
                for (integer e = 0; e < y.size; ++e) {
                    const integer q = e % channels, j = e / channels % y.extents[1], i = e / channels / y.extents[1];
                    f(t, b * y.size + e, q, window{pooled ? 4 : 1, b * x.size + step * (i * row + j * channels) + q, channels, row});
                }
    }
    template <class F> static void for_each_input(view<Scalar> dx, const normalised<Scalar>& of, F f) {
        for (integer t = 0; t < dx.tasks; ++t)
            for (integer i = 0; i < dx.batch * dx.size; ++i) f(t, i, i % of.r.size);
    }
    template <class F> static void for_each_channel(view<Scalar> s, F f) {
        for (integer t = 0; t < s.tasks; ++t)
            for (integer q = 0; q < s.size; ++q) f(t, q);
    }
    static void clear(view<Scalar> s) {
        for_each_channel(s, [=](integer t, integer q) { s.at(t)[q] = Scalar(0); });
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
