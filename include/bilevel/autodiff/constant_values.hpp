// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/workspace.hpp>

namespace bilevel::autodiff {

/// What a program computes of its constants alone, kept from one reading to the next: the first reading over the constants computes it, those that follow
/// find it. (An inner loop reads one support set at every step.) Who gives the program other constants says that it is not known.
struct constant_values {
    workspace values;
    bool known = false;
};

}  // namespace bilevel::autodiff
