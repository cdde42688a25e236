// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/core/rows.hpp>

namespace bilevel::operation {

/// y ← y + x, where y lies; for `evaluator::onto`. Linear in both:  ẏ ← ẏ + ẋ.
struct add {
    template <class Y> static void primal(auto& k, Y y, auto x) {
        k.add_scaled(as_rows(values_of(y)), typename Y::scalar(1), as_rows(values_of(x)));
    }
    template <class Y, class X> static void tangent(auto& k, Y y, X x) {
        if constexpr (X::varies) k.add_scaled(as_rows(tangents_of(y)), typename Y::scalar(1), as_rows(tangents_of(x)));
    }

private:
    template <class Scalar> static rows<Scalar> as_rows(const view<Scalar>& v) { return {v.data, v.stride, v.tasks, v.batch * v.size}; }
};

}  // namespace bilevel::operation
