// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/workspace.hpp>

namespace bilevel::autodiff {

/// What a program computes of its constants alone, or of its parameters alone, kept from one reading to the next: the first reading over them computes it,
/// those that follow find it. (An inner loop reads one support set at every step; the products with a Hessian read the weights that the gradient read.) Who
/// gives the program other ones says that it is not known.
struct kept_values {
    workspace values;
    bool known = false;
};

}  // namespace bilevel::autodiff
