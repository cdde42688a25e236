// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The bias of a linear layer; see `bias_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_bias {
    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar value = b.at(t)[i % b.size];
            y.at(t)[i] = accumulate ? y.at(t)[i] + value : value;
        });
    }

    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) {
        const integer channels = b.size;
        launcher().template for_each_sum<Scalar>(
            b.tasks, y.batch * y.size / channels, channels,
            [=] BILEVEL_DEVICE(integer t, integer i, integer q) { return y.at(t)[i * channels + q]; },
            [=] BILEVEL_DEVICE(integer t, integer q, Scalar sum) { b.at(t)[q] = accumulate ? b.at(t)[q] + sum : sum; });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
