// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

namespace bilevel::inner {

/// No inner level: the outer objective is minimised as it stands (multi-task learning).
struct none {
    static constexpr bool moves = false;
    void check() const {}
};

}  // namespace bilevel::inner
