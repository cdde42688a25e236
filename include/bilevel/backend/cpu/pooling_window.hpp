// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The four pixels of a 2 × 2 window, as offsets of their first channels: 0 and 1 above, 2 and 3 below.
struct pooling_window {
    integer corner, right, below;
    integer operator[](int k) const { return corner + (k % 2 != 0 ? right : 0) + (k >= 2 ? below : 0); }

    /// Takes the candidate where it is larger, or the first NaN. (GNU 12 vectorises this form of the condition, and no other that was tried.)
    template <class Scalar> static void take(Scalar& best, int& k, Scalar candidate, int candidate_k) {
        const bool better = !(candidate <= best) && best == best;
        best = better ? candidate : best;
        k = better ? candidate_k : k;
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
