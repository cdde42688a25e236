// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/rows.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Vectors, one a task; see `vector_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_vector {
    void scale(view<Scalar> y, view<const Scalar> x, Scalar factor) {
        launcher().for_each_element(y.tasks, y.batch * y.size,
                                    [=] BILEVEL_DEVICE(integer t, integer i) { y.at(t)[i] = factor * x.at(t)[i]; });
    }

    void fill(rows<Scalar> y, Scalar value) {
        launcher().for_each_element(y.tasks, y.size, [=] BILEVEL_DEVICE(integer t, integer i) { y.row(t)[i] = value; });
    }

    void copy(rows<Scalar> y, rows<const Scalar> x) {
        launcher().for_each_element(y.tasks, y.size, [=] BILEVEL_DEVICE(integer t, integer i) { y.row(t)[i] = x.row(t)[i]; });
    }

    void add_scaled(rows<Scalar> y, Scalar a, rows<const Scalar> x) {
        launcher().for_each_element(y.tasks, y.size, [=] BILEVEL_DEVICE(integer t, integer i) { y.row(t)[i] += a * x.row(t)[i]; });
    }

    void add_scaled(rows<Scalar> y, const Scalar* a, rows<const Scalar> x) {
        launcher().for_each_element(y.tasks, y.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            if (a[t] != Scalar(0)) y.row(t)[i] += a[t] * x.row(t)[i];
        });
    }

    void scale_and_add(rows<Scalar> y, const Scalar* b, rows<const Scalar> x) {
        launcher().for_each_element(y.tasks, y.size,
                                    [=] BILEVEL_DEVICE(integer t, integer i) { y.row(t)[i] = x.row(t)[i] + b[t] * y.row(t)[i]; });
    }

    /// Summed in double, whatever the scalar.
    void inner_products(Scalar* result, rows<const Scalar> a, rows<const Scalar> b) {
        launcher().template for_each_sum<double>(
            a.tasks, a.size, 1,
            [=] BILEVEL_DEVICE(integer t, integer i, integer) {
                return static_cast<double>(a.row(t)[i]) * static_cast<double>(b.row(t)[i]);
            },
            [=] BILEVEL_DEVICE(integer t, integer, double sum) { result[t] = static_cast<Scalar>(sum); });
    }

    template <class F> void for_each_index(integer count, F f) { launcher().for_each(count, f); }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
