// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The bias of a linear layer, by plain loops; see `bias_kernels` in primitives.hpp.
template <class Scalar> struct reference_bias {
    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) {
        for (integer t = 0; t < y.tasks; ++t)
            for (integer i = 0; i < y.batch * y.size; ++i) put(y.at(t)[i], b.at(t)[i % b.size], accumulate);
    }
    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) {
        for (integer t = 0; t < b.tasks; ++t)
            for (integer q = 0; q < b.size; ++q) {
                Scalar total(0);
                for (integer i = q; i < y.batch * y.size; i += b.size) total += y.at(t)[i];
                put(b.at(t)[q], total, accumulate);
            }
    }

private:
    static void put(Scalar& out, Scalar value, bool accumulate) { out = accumulate ? out + value : value; }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
