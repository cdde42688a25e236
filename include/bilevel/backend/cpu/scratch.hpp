// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/integer.hpp>

#include <cstddef>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// At least `count` elements of memory that grows and never shrinks: after the first call with the largest count nothing is allocated.
template <class Scalar> Scalar* scratch(aligned_vector<Scalar>& memory, integer count) {
    const auto size = static_cast<std::size_t>(count);
    if (memory.size() < size) memory.resize(size);
    return memory.data();
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
