// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/rows.hpp>

#include <algorithm>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Vectors, one a task, by plain loops; see `vector_kernels` in primitives.hpp.
template <class Scalar> struct reference_vector {
    void scale(view<Scalar> y, view<const Scalar> x, Scalar factor) {
        for (integer t = 0; t < y.tasks; ++t)
            for (integer i = 0; i < y.batch * y.size; ++i) y.at(t)[i] = factor * x.at(t)[i];
    }

    void fill(rows<Scalar> y, Scalar value) {
        for (integer t = 0; t < y.tasks; ++t) std::fill_n(y.row(t), y.size, value);
    }

    void copy(rows<Scalar> y, rows<const Scalar> x) {
        for (integer t = 0; t < y.tasks; ++t) std::copy_n(x.row(t), y.size, y.row(t));
    }

    void add_scaled(rows<Scalar> y, Scalar a, rows<const Scalar> x) {
        for (integer t = 0; t < y.tasks; ++t)
            for (integer i = 0; i < y.size; ++i) y.row(t)[i] += a * x.row(t)[i];
    }

    void add_scaled(rows<Scalar> y, const Scalar* a, rows<const Scalar> x) {
        for (integer t = 0; t < y.tasks; ++t) {
            if (is_zero(a[t])) continue;
            for (integer i = 0; i < y.size; ++i) y.row(t)[i] += a[t] * x.row(t)[i];
        }
    }

    void scale_and_add(rows<Scalar> y, const Scalar* b, rows<const Scalar> x) {
        for (integer t = 0; t < y.tasks; ++t)
            for (integer i = 0; i < y.size; ++i) y.row(t)[i] = x.row(t)[i] + b[t] * y.row(t)[i];
    }

    /// In the order of the elements; float is summed in double.
    void inner_products(Scalar* result, rows<const Scalar> a, rows<const Scalar> b) {
        using sum_type = std::conditional_t<std::is_same_v<Scalar, float>, double, Scalar>;
        for (integer t = 0; t < a.tasks; ++t) {
            sum_type sum(0);
            for (integer i = 0; i < a.size; ++i) sum += sum_type(a.row(t)[i]) * sum_type(b.row(t)[i]);
            result[t] = static_cast<Scalar>(sum);
        }
    }

    template <class F> void for_each_index(integer count, F f) {
        for (integer i = 0; i < count; ++i) f(i);
    }

private:
    /// A dual number that is zero but moves is not zero.
    static constexpr bool is_zero(const auto& a) {
        if constexpr (requires { a.derivative; }) {
            return is_zero(a.value) && is_zero(a.derivative);
        } else {
            return a == 0;
        }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
