// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/folded.hpp>
#include <bilevel/backend/folded_filter.hpp>
#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm folded into weights, one call for each filter; see `folded_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_folded {
    void fold_batch_norm(view<Scalar> weights, view<Scalar> bias, view<Scalar> mean, view<Scalar> r, view<Scalar> v, view<const Scalar> w,
                         view<const Scalar> gain, view<const Scalar> shift, view<const Scalar> patch_mean,
                         view<const Scalar> patch_covariance, Scalar epsilon) {
        multiply(v, patch_covariance, w);
        for_each_filter(gain, patch_mean.size, [=] BILEVEL_DEVICE(const folded_filter<Scalar>& one) {
            one.fold(weights, bias, mean, r, v, w, gain, shift, patch_mean, epsilon);
        });
    }
    void fold_batch_norm_tangent(view<Scalar> weights_moved, view<Scalar> bias_moved, view<Scalar> mean_moved, view<Scalar> r_moved,
                                 view<Scalar> v_moved, folded<Scalar> of, view<const Scalar> w_moved, view<const Scalar> gain_moved,
                                 view<const Scalar> shift_moved, view<const Scalar> patch_mean, view<const Scalar> patch_covariance) {
        multiply(v_moved, patch_covariance, w_moved);
        for_each_filter(of.gain, patch_mean.size, [=] BILEVEL_DEVICE(const folded_filter<Scalar>& one) {
            one.tangent(weights_moved, bias_moved, mean_moved, r_moved, of, w_moved, gain_moved, shift_moved, patch_mean);
        });
    }
    void fold_batch_norm_backward(view<Scalar> dw, view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dweights,
                                  view<const Scalar> dbias, folded<Scalar> of, view<const Scalar> patch_mean) {
        for_each_filter(of.gain, patch_mean.size, [=] BILEVEL_DEVICE(const folded_filter<Scalar>& one) {
            one.backward(dw, dgain, dshift, dweights, dbias, of, patch_mean);
        });
    }
    void fold_batch_norm_backward_tangent(view<Scalar> dw, view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dweights,
                                          view<const Scalar> dbias, view<const Scalar> dweights_moved, view<const Scalar> dbias_moved,
                                          folded<Scalar> of, folded<Scalar> moved, view<const Scalar> patch_mean) {
        for_each_filter(of.gain, patch_mean.size, [=] BILEVEL_DEVICE(const folded_filter<Scalar>& one) {
            one.backward_tangent(dw, dgain, dshift, dweights, dbias, dweights_moved, dbias_moved, of, moved, patch_mean);
        });
    }

    // Public, as nvcc wants what a device's lambda lies in.
    template <class F> struct of_filter {
        integer filters, terms;
        F f;
        BILEVEL_HOST_DEVICE void operator()(integer t, integer q) const { f(folded_filter<Scalar>{t, q, filters, terms}); }
    };
    template <class F> void for_each_filter(const view<const Scalar>& gain, integer terms, F f) {
        launcher().for_each_element(gain.tasks, gain.size, of_filter<F>{gain.size, terms, f});
    }
    /// v = C w    // C (k,k)  w (k,filters)
    void multiply(view<Scalar> v, view<const Scalar> covariance, view<const Scalar> w) {
        const integer filters = w.extents[3], terms = w.size / filters;
        launcher().for_each_element(v.tasks, v.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const Scalar *const row = covariance.at(t) + e / filters * terms, *const column = w.at(t) + e % filters;
            Scalar sum(0);
            for (integer k = 0; k < terms; ++k) sum += row[k] * column[k * filters];
            v.at(t)[e] = sum;
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
