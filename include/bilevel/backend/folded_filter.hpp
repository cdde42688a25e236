// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/folded.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm folded into the weights of one filter q of task t, given v = C w; see `folded_kernels` in primitives.hpp. The filters do not touch each other:
/// every backend shares this, and loops over them as it likes. With s = gain r and e = Σ_k dweights w − dbias mean, the adjoint of s:
///  dgain = e r,  dshift = dbias,  dw = s dweights − (s dbias) p̄ − (e gain r³) v
template <class Scalar> struct folded_filter {
    integer t, q, filters, terms;
    BILEVEL_HOST_DEVICE integer at(integer k) const { return k * filters + q; }

    BILEVEL_HOST_DEVICE void fold(const view<Scalar>& weights, const view<Scalar>& bias, const view<Scalar>& mean, const view<Scalar>& r,
                                  const view<const Scalar>& v, const view<const Scalar>& w, const view<const Scalar>& gain,
                                  const view<const Scalar>& shift, const view<const Scalar>& patch_mean, Scalar epsilon) const {
        const Scalar m = of_patch_mean(patch_mean, w);
        mean.at(t)[q] = m;
        const Scalar variance = dot(w, v);  // which rounding can take below zero where the filter cancels large means
        r.at(t)[q] = inverse_deviation_of(variance < Scalar(0) ? Scalar(0) : variance, epsilon);
        const Scalar s = gain.at(t)[q] * r.at(t)[q];
        bias.at(t)[q] = shift.at(t)[q] - s * m;
        for (integer k = 0; k < terms; ++k) weights.at(t)[at(k)] = w.at(t)[at(k)] * s;
    }

    BILEVEL_HOST_DEVICE void tangent(const view<Scalar>& weights_moved, const view<Scalar>& bias_moved, const view<Scalar>& mean_moved,
                                     const view<Scalar>& r_moved, const folded<Scalar>& of, const view<const Scalar>& w_moved,
                                     const view<const Scalar>& gain_moved, const view<const Scalar>& shift_moved,
                                     const view<const Scalar>& patch_mean) const {
        const Scalar r = of.r.at(t)[q], gain = of.gain.at(t)[q], m = of_patch_mean(patch_mean, w_moved);
        mean_moved.at(t)[q] = m;
        r_moved.at(t)[q] = -(r * r * r) * dot(w_moved, of.v);  // half of the variance's tangent, by the symmetry of C
        const Scalar s = gain * r, ds = gain_moved.at(t)[q] * r + gain * r_moved.at(t)[q];
        bias_moved.at(t)[q] = shift_moved.at(t)[q] - ds * of.mean.at(t)[q] - s * m;
        for (integer k = 0; k < terms; ++k) weights_moved.at(t)[at(k)] = w_moved.at(t)[at(k)] * s + of.w.at(t)[at(k)] * ds;
    }

    BILEVEL_HOST_DEVICE void backward(const view<Scalar>& dw, const view<Scalar>& dgain, const view<Scalar>& dshift,
                                      const view<const Scalar>& dweights, const view<const Scalar>& dbias, const folded<Scalar>& of,
                                      const view<const Scalar>& patch_mean) const {
        const Scalar r = of.r.at(t)[q], gain = of.gain.at(t)[q], d = dbias.at(t)[q];
        const Scalar e = dot(dweights, of.w) - d * of.mean.at(t)[q], s = gain * r, c = e * gain * (r * r * r);
        dgain.at(t)[q] = e * r;
        dshift.at(t)[q] = d;
        for (integer k = 0; k < terms; ++k)
            dw.at(t)[at(k)] = s * dweights.at(t)[at(k)] - s * d * patch_mean.at(t)[k] - c * of.v.at(t)[at(k)];
    }

    BILEVEL_HOST_DEVICE void backward_tangent(const view<Scalar>& dw, const view<Scalar>& dgain, const view<Scalar>& dshift,
                                              const view<const Scalar>& dweights, const view<const Scalar>& dbias,
                                              const view<const Scalar>& dweights_moved, const view<const Scalar>& dbias_moved,
                                              const folded<Scalar>& of, const folded<Scalar>& moved,
                                              const view<const Scalar>& patch_mean) const {
        const bool moves = moved.w.size > 0;
        const Scalar r = of.r.at(t)[q], gain = of.gain.at(t)[q], mean = of.mean.at(t)[q], none(0);
        const Scalar dr = moves ? moved.r.at(t)[q] : none, gain_moved = moves ? moved.gain.at(t)[q] : none;
        const Scalar d = dbias.at(t)[q], dd = dbias_moved.at(t)[q], e = dot(dweights, of.w) - d * mean;
        Scalar de = dot(dweights_moved, of.w) - dd * mean;
        if (moves) de += dot(dweights, moved.w) - d * moved.mean.at(t)[q];
        dgain.at(t)[q] = de * r + e * dr;
        dshift.at(t)[q] = dd;
        const Scalar s = gain * r, ds = gain_moved * r + gain * dr, cube = r * r * r;
        const Scalar c = e * gain * cube, dc = (de * gain + e * gain_moved) * cube + Scalar(3) * e * gain * (r * r) * dr;
        for (integer k = 0; k < terms; ++k)
            dw.at(t)[at(k)] = ds * dweights.at(t)[at(k)] + s * dweights_moved.at(t)[at(k)] - (ds * d + s * dd) * patch_mean.at(t)[k] -
                              dc * of.v.at(t)[at(k)] - (moves ? c * moved.v.at(t)[at(k)] : none);
    }

private:
    BILEVEL_HOST_DEVICE Scalar dot(const view<const Scalar>& a, const view<const Scalar>& b) const {
        Scalar sum(0);
        for (integer k = 0; k < terms; ++k) sum += a.at(t)[at(k)] * b.at(t)[at(k)];
        return sum;
    }
    BILEVEL_HOST_DEVICE Scalar of_patch_mean(const view<const Scalar>& patch_mean, const view<const Scalar>& w) const {
        Scalar sum(0);
        for (integer k = 0; k < terms; ++k) sum += patch_mean.at(t)[k] * w.at(t)[at(k)];
        return sum;
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
