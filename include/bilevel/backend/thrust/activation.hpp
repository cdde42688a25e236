// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Rectifiers, element by element; see `activation_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_activation {
    void rectify(view<Scalar> y, view<const Scalar> x, Scalar slope) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar value = x.at(t)[i];
            y.at(t)[i] = value > Scalar(0) ? value : slope * value;
        });
    }

    void rectify_backward(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> y, Scalar slope) {
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            const Scalar value = dy.at(t)[i];
            dx.at(t)[i] = y.at(t)[i] > Scalar(0) ? value : slope * value;
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
