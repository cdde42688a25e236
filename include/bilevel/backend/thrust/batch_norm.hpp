// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/normalised.hpp>
#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/backend/thrust/normalisation_terms.hpp>
#include <bilevel/backend/thrust/window.hpp>
#include <bilevel/core/array.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

namespace on_device {
/// The two sums of a channel, each into its array.
template <class Scalar> struct put_both {
    view<Scalar> first, second;
    BILEVEL_HOST_DEVICE void operator()(integer t, integer q, const two_sums<Scalar>& sum) const {
        first.at(t)[q] = sum.first;
        second.at(t)[q] = sum.second;
    }
};
}  // namespace on_device

/// Batch norm, and the activation and pooling behind it: one call for each element of an image, and sums by channel in fixed blocks. The moments take two
/// passes. See `batch_norm_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_batch_norm {
    void moments(view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar epsilon) {
        const integer channels = r.size, positions = x.batch * x.size / channels;
        sum_by_channel<Scalar>(
            x, channels, [=] BILEVEL_DEVICE(integer t, integer i, integer q) { return x.at(t)[i * channels + q]; },
            [=] BILEVEL_DEVICE(integer t, integer q, Scalar sum) { mean.at(t)[q] = sum / Scalar(positions); });
        sum_by_channel<Scalar>(
            x, channels,
            [=] BILEVEL_DEVICE(integer t, integer i, integer q) {
                const Scalar centred = x.at(t)[i * channels + q] - mean.at(t)[q];
                return centred * centred;
            },
            [=] BILEVEL_DEVICE(integer t, integer q, Scalar sum) { r.at(t)[q] = inverse_deviation_of(sum / Scalar(positions), epsilon); });
    }
    void inverse_deviation(view<Scalar> r, view<const Scalar> variance, Scalar epsilon) {
        launcher().for_each_element(
            r.tasks, r.size, [=] BILEVEL_DEVICE(integer t, integer q) { r.at(t)[q] = inverse_deviation_of(variance.at(t)[q], epsilon); });
    }
    void moments_tangent(view<Scalar> dmean, view<Scalar> dr, view<const Scalar> dx, const normalised<Scalar>& of) {
        const integer channels = dr.size, positions = dx.batch * dx.size / channels;
        const on_device::normalisation_terms<Scalar> terms{of, {}};
        sum_by_channel<on_device::two_sums<Scalar>>(
            dx, channels,
            [=] BILEVEL_DEVICE(integer t, integer i, integer q) {
                const integer e = i * channels + q;
                return on_device::two_sums<Scalar>{dx.at(t)[e], dx.at(t)[e] * terms.n(t, e, q)};
            },
            [=] BILEVEL_DEVICE(integer t, integer q, const on_device::two_sums<Scalar>& sum) {
                const Scalar r = terms.of.r.at(t)[q];
                dmean.at(t)[q] = sum.first / Scalar(positions);
                dr.at(t)[q] = -(r * r) * sum.second / Scalar(positions);
            });
    }

    void batch_norm(view<Scalar> y, view<std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        const on_device::normalisation_terms<Scalar> terms{of, {}};
        const integer channels = of.r.size;
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const integer q = on_device::rest(e, channels);
            const on_device::window at = on_device::window::of_output(e, y, terms.of.x, argmax.size > 0);
            integer best = 0;
            Scalar largest = terms.z(t, at[0], q);
            for (integer k = 1; k < at.size; ++k) {
                const Scalar candidate = terms.z(t, at[k], q);
                if (!on_device::is_larger(candidate, largest)) continue;
                largest = candidate;
                best = k;
            }
            y.at(t)[e] = follows.slope == Scalar(1) || largest > Scalar(0) ? largest : follows.slope * largest;
            if (argmax.size > 0) argmax.at(t)[e] = static_cast<std::uint8_t>(best);
        });
    }
    void batch_norm_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                            const normalised<Scalar>& moved, activation<Scalar> follows) {
        const on_device::normalisation_terms<Scalar> terms{of, moved};
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer channels = of.r.size;
        launcher().for_each_element(dy.tasks, dy.batch * dy.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const integer i = on_device::window::of_output(e, dy, terms.of.x, result.pooled())[result.position(t, e)];
            dy.at(t)[e] = terms.dz(t, i, on_device::rest(e, channels)) * result.slope(t, e);
        });
    }

    void batch_norm_sums(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> y,
                         view<const std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        const on_device::normalisation_terms<Scalar> terms{of, {}};
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer channels = of.r.size;
        sum_by_channel<on_device::two_sums<Scalar>>(
            dy, channels,
            [=] BILEVEL_DEVICE(integer t, integer position, integer q) {
                const integer e = position * channels + q;
                const integer i = on_device::window::of_output(e, dy, terms.of.x, result.pooled())[result.position(t, e)];
                const Scalar dz = dy.at(t)[e] * result.slope(t, e);
                return on_device::two_sums<Scalar>{dz * terms.n(t, i, q), dz};
            },
            on_device::put_both<Scalar>{dgain, dshift});
    }
    void batch_norm_sums_tangent(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> dy_moved,
                                 view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                 const normalised<Scalar>& moved, activation<Scalar> follows) {
        const on_device::normalisation_terms<Scalar> terms{of, moved};
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer channels = of.r.size;
        sum_by_channel<on_device::two_sums<Scalar>>(
            dy, channels,
            [=] BILEVEL_DEVICE(integer t, integer position, integer q) {
                const integer e = position * channels + q;
                const integer i = on_device::window::of_output(e, dy, terms.of.x, result.pooled())[result.position(t, e)];
                const Scalar dz = dy.at(t)[e], dz_moved = dy_moved.at(t)[e], slope = result.slope(t, e);
                return on_device::two_sums<Scalar>{slope * (dz_moved * terms.n(t, i, q) + dz * terms.dn(t, i, q)), slope * dz_moved};
            },
            on_device::put_both<Scalar>{dgain, dshift});
    }

    void batch_norm_backward(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dy,
                             view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                             activation<Scalar> follows) {
        const on_device::normalisation_terms<Scalar> terms{of, {}};
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer channels = of.r.size;
        const Scalar count(static_cast<Scalar>(dx.batch * dx.size / channels));
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const integer q = on_device::rest(i, channels);
            const on_device::source from = on_device::source::of_input(i, dy, dx, result.pooled());
            Scalar centred = -dshift.at(t)[q] / count - terms.n(t, i, q) * dgain.at(t)[q] / count;
            if (from.output >= 0 && result.position(t, from.output) == from.position)
                centred += dy.at(t)[from.output] * result.slope(t, from.output);
            dx.at(t)[i] = terms.factor(t, q) * centred;
        });
    }
    void batch_norm_backward_tangent(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dgain_moved,
                                     view<const Scalar> dshift_moved, view<const Scalar> dy, view<const Scalar> dy_moved,
                                     view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                     const normalised<Scalar>& moved, activation<Scalar> follows) {
        const on_device::normalisation_terms<Scalar> terms{of, moved};
        const on_device::normalisation_result<Scalar> result{y, argmax, follows};
        const integer channels = of.r.size;
        const Scalar count(static_cast<Scalar>(dx.batch * dx.size / channels));
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const integer q = on_device::rest(i, channels);
            const on_device::source from = on_device::source::of_input(i, dy, dx, result.pooled());
            const Scalar n = terms.n(t, i, q);
            Scalar centred = -dshift.at(t)[q] / count - n * dgain.at(t)[q] / count;
            Scalar centred_moved =
                -dshift_moved.at(t)[q] / count - terms.dn(t, i, q) * dgain.at(t)[q] / count - n * dgain_moved.at(t)[q] / count;
            if (from.output >= 0 && result.position(t, from.output) == from.position) {
                const Scalar slope = result.slope(t, from.output);
                centred += slope * dy.at(t)[from.output];
                centred_moved += slope * dy_moved.at(t)[from.output];
            }
            dx.at(t)[i] = terms.factor(t, q) * centred_moved + terms.dfactor(t, q) * centred;
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }

    /// put(t, q, Σ_i term(t, i, q)) over the positions i of the images.
    template <class Sum, class Term, class Put> void sum_by_channel(view<const Scalar> images, integer channels, Term term, Put put) {
        launcher().template for_each_sum<Sum>(images.tasks, images.batch * images.size / channels, channels, term, put);
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
