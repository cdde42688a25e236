// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The examples first … end − 1 of each task.
template <class Scalar> constexpr view<Scalar> images(view<Scalar> all, integer first, integer end) {
    all.data += first * all.size;
    all.batch = end - first;
    return all;
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
