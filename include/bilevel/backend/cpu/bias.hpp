// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The bias of a linear layer, in loops over the contiguous outputs; see `bias_kernels` in primitives.hpp.
template <class Scalar> struct cpu_bias {
    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) {
        for (integer t = 0; t < y.tasks; ++t) {
            Scalar* const out = y.at(t);
            const Scalar* const bias = b.at(t);
            const integer positions = y.batch * y.size / b.size;
            if (accumulate) {
                by_channel::for_each(positions, b.size, [=](integer i, integer q) { out[i] += bias[q]; });
            } else {
                by_channel::for_each(positions, b.size, [=](integer i, integer q) { out[i] = bias[q]; });
            }
        }
    }
    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) {
        for (integer t = 0; t < b.tasks; ++t)
            by_channel::sum(
                y.batch * y.size / b.size, b.size, [in = y.at(t)](integer i, integer) { return in[i]; },
                [=, out = b.at(t)](integer q, Scalar sum) { out[q] = accumulate ? out[q] + sum : sum; });
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
