// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The rows of a class-wise head, by plain loops; see `gather_kernels` in primitives.hpp.
template <class Scalar> struct reference_gather {
    void gather_classes(view<Scalar> w, view<const Scalar> head, view<const int> classes) {
        const integer features = w.extents[0], ways = w.extents[1];
        for (integer t = 0; t < w.tasks; ++t)
            for (integer q = 0; q < ways; ++q) {
                const Scalar* const row = head.at(t) + *classes.at(t, q) * features;
                for (integer p = 0; p < features; ++p) w.at(t)[p * ways + q] = row[p];
            }
    }

    void scatter_classes(view<Scalar> dhead, view<const Scalar> dw, view<const int> classes) {
        const integer features = dw.extents[0], ways = dw.extents[1];
        for (integer t = 0; t < dw.tasks; ++t)
            for (integer q = 0; q < ways; ++q) {
                Scalar* const row = dhead.at(t) + *classes.at(t, q) * features;
                for (integer p = 0; p < features; ++p) row[p] += dw.at(t)[p * ways + q];
            }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
