// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The rows of a class-wise head; see `gather_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_gather {
    void gather_classes(view<Scalar> w, view<const Scalar> head, view<const int> classes) {
        const integer features = w.extents[0], ways = w.extents[1];
        launcher().for_each_element(w.tasks, features * ways, [=] BILEVEL_DEVICE(integer t, integer i) {
            w.at(t)[i] = head.at(t)[*classes.at(t, i % ways) * features + i / ways];
        });
    }

    /// One call for each element of the head, which asks every way whether it is of its class.
    void scatter_classes(view<Scalar> dhead, view<const Scalar> dw, view<const int> classes) {
        const integer features = dw.extents[0], ways = dw.extents[1];
        const bool shared = dhead.stride == 0;
        launcher().for_each_element(shared ? 1 : dw.tasks, dhead.batch * dhead.size, [=] BILEVEL_DEVICE(integer first, integer i) {
            const integer row = i / features, p = i % features, end = shared ? dw.tasks : first + 1;
            Scalar sum = dhead.at(first)[i];
            for (integer t = first; t < end; ++t)
                for (integer q = 0; q < ways; ++q)
                    if (*classes.at(t, q) == row) sum += dw.at(t)[p * ways + q];
            dhead.at(first)[i] = sum;
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
