// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/images.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/reference/activation.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The reference's loops, which compilers vectorise; threads share the images.
template <class Scalar> class cpu_activation : reference_activation<Scalar>, public virtual shared_among_threads {
public:
    void rectify(view<Scalar> y, view<const Scalar> x, Scalar slope) {
        for_each_stretch(y.batch, shares(y.batch * y.size), [=, this](integer first, integer end) {
            reference_activation<Scalar>::rectify(images(y, first, end), images(x, first, end), slope);
        });
    }
    void rectify_backward(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> y, Scalar slope) {
        for_each_stretch(dx.batch, shares(dx.batch * dx.size), [=, this](integer first, integer end) {
            reference_activation<Scalar>::rectify_backward(images(dx, first, end), images(dy, first, end), images(y, first, end), slope);
        });
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
