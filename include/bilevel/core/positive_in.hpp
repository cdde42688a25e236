// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

namespace bilevel {

/// Whether a setting is a positive finite number also in the scalar that computes with it: 1e-50 is 0 in float, and 1e39 is no float.
template <class Scalar> bool positive_in(double setting) {
    if (!std::isfinite(setting)) return false;
    if constexpr (std::is_floating_point_v<Scalar>) {
        if (setting > double(std::numeric_limits<Scalar>::max())) return false;
    }
    return Scalar(setting) > Scalar(0);
}

}  // namespace bilevel
