// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Rectifiers, element by element; see `activation_kernels` in primitives.hpp. The loops need no order, so compilers vectorise them.
template <class Scalar> struct reference_activation {
    void rectify(view<Scalar> y, view<const Scalar> x, Scalar slope) {
        for (integer t = 0; t < y.tasks; ++t) {
            Scalar* const out = y.at(t);
            const Scalar* const in = x.at(t);
            for (integer i = 0; i < y.batch * y.size; ++i) {
                const Scalar below = slope * in[i];
                out[i] = in[i] > Scalar(0) ? in[i] : below;
            }
        }
    }

    void rectify_backward(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> y, Scalar slope) {
        for (integer t = 0; t < dx.tasks; ++t) {
            Scalar* const out = dx.at(t);
            const Scalar* const in = dy.at(t);
            const Scalar* const sign = y.at(t);
            for (integer i = 0; i < dx.batch * dx.size; ++i) {
                const Scalar above = in[i];
                const Scalar below = slope * above;
                out[i] = sign[i] > Scalar(0) ? above : below;
            }
        }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
