// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

#include <cmath>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

namespace on_device {
template <class Scalar> BILEVEL_HOST_DEVICE constexpr Scalar dot(const Scalar* a, const Scalar* b, integer count) {
    Scalar sum(0);
    for (integer i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
}
/// The largest logit, and Σ_q exp(z_q − largest).
template <class Scalar> struct partition {
    Scalar largest, sum;
    BILEVEL_HOST_DEVICE partition(const Scalar* z, integer count) : largest(z[0]), sum(0) {
        using std::exp;
        for (integer q = 1; q < count; ++q)
            if (z[q] > largest) largest = z[q];
        for (integer q = 0; q < count; ++q) sum += exp(z[q] - largest);
    }
};
/// False where any of the logits is NaN.
template <class Scalar> BILEVEL_HOST_DEVICE constexpr bool is_first_largest(const Scalar* logits, integer count, integer label) {
    for (integer q = 0; q < count; ++q) {
        const bool below = q < label ? logits[q] < logits[label] : logits[q] <= logits[label];
        if (!below) return false;
    }
    return true;
}
template <class Scalar> struct put_mean {
    view<Scalar> of;
    integer count;
    BILEVEL_HOST_DEVICE void operator()(integer t, integer, Scalar sum) const { *of.at(t) = sum / Scalar(count); }
};
}  // namespace on_device

/// Losses; see `loss_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_loss {
    void softmax_cross_entropy(view<Scalar> loss, view<Scalar> p, view<const Scalar> z, view<const int> labels) {
        launcher().for_each_element(z.tasks, z.batch, [=] BILEVEL_DEVICE(integer t, integer b) {
            using std::exp;
            const on_device::partition<Scalar> of(z.at(t, b), z.size);
            for (integer q = 0; q < z.size; ++q) p.at(t, b)[q] = exp(z.at(t, b)[q] - of.largest) / of.sum;
        });
        mean(loss, z.batch, [=] BILEVEL_DEVICE(integer t, integer b, integer) {
            using std::log;
            const on_device::partition<Scalar> of(z.at(t, b), z.size);
            return log(of.sum) - (z.at(t, b)[*labels.at(t, b)] - of.largest);
        });
    }

    void softmax_tangent(view<Scalar> dp, view<const Scalar> p, view<const Scalar> dz) {
        launcher().for_each_element(p.tasks, p.batch * p.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const integer b = i / p.size;
            dp.at(t)[i] = p.at(t)[i] * (dz.at(t)[i] - on_device::dot(p.at(t, b), dz.at(t, b), p.size));
        });
    }

    void cross_entropy_tangent(view<Scalar> dloss, view<const Scalar> p, view<const Scalar> dz, view<const int> labels) {
        mean(dloss, p.batch, [=] BILEVEL_DEVICE(integer t, integer b, integer) {
            return on_device::dot(p.at(t, b), dz.at(t, b), p.size) - dz.at(t, b)[*labels.at(t, b)];
        });
    }

    void cross_entropy_backward(view<Scalar> dz, view<const Scalar> p, view<const int> labels) {
        launcher().for_each_element(dz.tasks, dz.batch * dz.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar target = i % dz.size == *labels.at(t, i / dz.size) ? Scalar(1) : Scalar(0);
            dz.at(t)[i] = (p.at(t)[i] - target) / Scalar(dz.batch);
        });
    }

    void squared_error(view<Scalar> loss, view<Scalar> residual, view<const Scalar> z, view<const Scalar> target) {
        launcher().for_each_element(z.tasks, z.batch * z.size,
                                    [=] BILEVEL_DEVICE(integer t, integer i) { residual.at(t)[i] = z.at(t)[i] - target.at(t)[i]; });
        mean(loss, z.batch * z.size, [=] BILEVEL_DEVICE(integer t, integer i, integer) { return residual.at(t)[i] * residual.at(t)[i]; });
    }

    void squared_error_tangent(view<Scalar> dloss, view<const Scalar> residual, view<const Scalar> dz) {
        mean(dloss, dz.batch * dz.size,
             [=] BILEVEL_DEVICE(integer t, integer i, integer) { return Scalar(2) * (residual.at(t)[i] * dz.at(t)[i]); });
    }

    void count_correct(view<Scalar> count, view<const Scalar> z, view<const int> labels) {
        launcher().template for_each_sum<integer>(
            z.tasks, z.batch, 1,
            [=] BILEVEL_DEVICE(integer t, integer b, integer) {
                return integer(on_device::is_first_largest(z.at(t, b), z.size, *labels.at(t, b)) ? 1 : 0);
            },
            [=] BILEVEL_DEVICE(integer t, integer, integer sum) { *count.at(t) = Scalar(sum); });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }

    template <class Term> void mean(view<Scalar> of, integer count, Term term) {
        launcher().template for_each_sum<Scalar>(of.tasks, count, 1, term, on_device::put_mean<Scalar>{of, count});
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
