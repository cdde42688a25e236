// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>

namespace bilevel::operation {

/// The rows of a class-wise head that belong to the classes of a task: w[p, q] = head[classes[q], p].    // head (classes, k)  w (k, ways)
struct gather_classes {
    template <class H, class C> static constexpr auto result(H h, C classes) {
        return like<shape<H::shape::template extent<1>, dynamic>, H::act>(h, 1, classes.batch);
    }
    static void primal(auto& k, auto w, auto head, auto classes) { k.gather_classes(values_of(w), values_of(head), values_of(classes)); }
};

}  // namespace bilevel::operation
