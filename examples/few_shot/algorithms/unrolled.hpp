// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/settings.hpp"

#include <bilevel/hypergradient/unrolled.hpp>

#include <cstddef>

namespace few_shot {

/// What maml and anil keep of the inner steps.
inline bilevel::hypergradient::unrolled unrolled_by(const settings& s) {
    using bilevel::hypergradient::planes;
    bilevel::hypergradient::unrolled result{.planes = s.planes.value == "kept" ? planes::kept : planes::recomputed};
    if (s.planes_budget > 0) result.budget = static_cast<std::size_t>(s.planes_budget.value) * 1'000'000;
    return result;
}

}  // namespace few_shot
