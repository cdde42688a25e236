// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/reference/vector.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Vectors, one a task; see `vector_kernels` in primitives.hpp. The elementwise loops of the reference vectorise as they are; threads share the elements of
/// those that a pass over planes calls.
template <class Scalar> class cpu_vector : public reference_vector<Scalar>, public virtual shared_among_threads {
public:
    using reference_vector<Scalar>::add_scaled;

    void fill(rows<Scalar> y, Scalar value) {
        share(y, [=, this](integer first, integer end) { reference_vector<Scalar>::fill(y.part(first, end - first), value); });
    }
    void copy(rows<Scalar> y, rows<const Scalar> x) {
        share(y, [=, this](integer first, integer end) {
            reference_vector<Scalar>::copy(y.part(first, end - first), x.part(first, end - first));
        });
    }
    void add_scaled(rows<Scalar> y, Scalar a, rows<const Scalar> x) {
        share(y, [=, this](integer first, integer end) {
            reference_vector<Scalar>::add_scaled(y.part(first, end - first), a, x.part(first, end - first));
        });
    }

    template <class F> void for_each_index(integer count, F f) const {
        for_each_stretch(count, shares(count), [f](integer first, integer end) {
            for (integer i = first; i < end; ++i) f(i);
        });
    }

    /// Summed in double, whatever the scalar, in 32 fixed parts that are then added in pairs.
    void inner_products(Scalar* result, rows<const Scalar> a, rows<const Scalar> b) {
        for (integer t = 0; t < a.tasks; ++t) result[t] = static_cast<Scalar>(inner_product(a.row(t), b.row(t), a.size));
    }

private:
    template <class F> void share(const rows<Scalar>& y, F f) const { for_each_stretch(y.size, shares(y.size), f); }

    static constexpr integer parts = 32;

    static double inner_product(const Scalar* a, const Scalar* b, integer size) {
        double sums[parts] = {};
        const integer rest = size % parts, whole = size - rest;
        for (integer i = 0; i < whole; i += parts)
            for (integer j = 0; j < parts; ++j) sums[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
        for (integer j = 0; j < rest; ++j) sums[j] += static_cast<double>(a[whole + j]) * static_cast<double>(b[whole + j]);
        for (integer half = parts / 2; half > 0; half /= 2)
            for (integer j = 0; j < half; ++j) sums[j] += sums[j + half];
        return sums[0];
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
