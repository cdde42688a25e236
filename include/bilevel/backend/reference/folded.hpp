// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/folded.hpp>
#include <bilevel/backend/folded_filter.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm folded into weights, filter by filter; see `folded_kernels` in primitives.hpp.
template <class Scalar> struct reference_folded {
    void fold_batch_norm(view<Scalar> weights, view<Scalar> bias, view<Scalar> mean, view<Scalar> r, view<Scalar> v, view<const Scalar> w,
                         view<const Scalar> gain, view<const Scalar> shift, view<const Scalar> patch_mean,
                         view<const Scalar> patch_covariance, Scalar epsilon) {
        multiply(v, patch_covariance, w);
        for_each_filter(gain, patch_mean.size, [=](const folded_filter<Scalar>& one) {
            one.fold(weights, bias, mean, r, v, w, gain, shift, patch_mean, epsilon);
        });
    }
    void fold_batch_norm_tangent(view<Scalar> weights_moved, view<Scalar> bias_moved, view<Scalar> mean_moved, view<Scalar> r_moved,
                                 view<Scalar> v_moved, folded<Scalar> of, view<const Scalar> w_moved, view<const Scalar> gain_moved,
                                 view<const Scalar> shift_moved, view<const Scalar> patch_mean, view<const Scalar> patch_covariance) {
        multiply(v_moved, patch_covariance, w_moved);
        for_each_filter(of.gain, patch_mean.size, [=](const folded_filter<Scalar>& one) {
            one.tangent(weights_moved, bias_moved, mean_moved, r_moved, of, w_moved, gain_moved, shift_moved, patch_mean);
        });
    }
    void fold_batch_norm_backward(view<Scalar> dw, view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dweights,
                                  view<const Scalar> dbias, folded<Scalar> of, view<const Scalar> patch_mean) {
        for_each_filter(of.gain, patch_mean.size,
                        [=](const folded_filter<Scalar>& one) { one.backward(dw, dgain, dshift, dweights, dbias, of, patch_mean); });
    }
    void fold_batch_norm_backward_tangent(view<Scalar> dw, view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dweights,
                                          view<const Scalar> dbias, view<const Scalar> dweights_moved, view<const Scalar> dbias_moved,
                                          folded<Scalar> of, folded<Scalar> moved, view<const Scalar> patch_mean) {
        for_each_filter(of.gain, patch_mean.size, [=](const folded_filter<Scalar>& one) {
            one.backward_tangent(dw, dgain, dshift, dweights, dbias, dweights_moved, dbias_moved, of, moved, patch_mean);
        });
    }

private:
    /// v = C w    // C (k,k)  w (k,filters)
    static void multiply(view<Scalar> v, view<const Scalar> covariance, view<const Scalar> w) {
        const integer filters = w.extents[3], terms = w.size / filters;
        for (integer t = 0; t < v.tasks; ++t)
            for (integer i = 0; i < terms; ++i) {
                Scalar* const row = v.at(t) + i * filters;
                for (integer q = 0; q < filters; ++q) row[q] = Scalar(0);
                for (integer k = 0; k < terms; ++k) {
                    const Scalar factor = covariance.at(t)[i * terms + k];
                    const Scalar* const from = w.at(t) + k * filters;
                    for (integer q = 0; q < filters; ++q) row[q] += factor * from[q];
                }
            }
    }
    template <class F> static void for_each_filter(const view<const Scalar>& gain, integer terms, F f) {
        for (integer t = 0; t < gain.tasks; ++t)
            for (integer q = 0; q < gain.size; ++q) f(folded_filter<Scalar>{t, q, gain.size, terms});
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
