// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bilevel::data::detail {

/// Shrinks a square image of n×n bytes to m×m, m ≤ n: each new pixel is the mean over the area that it covers, rounded once, in exact
/// integer arithmetic. In units where an old pixel is m wide, a new one is n wide.
inline void shrink(const std::uint8_t* in, integer n, std::uint8_t* out, integer m) {
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(n * m));  // (n, m): shrunk along x
    const auto along = [&](auto&& value, integer i) {                  // the sum over new pixel i of overlap times value
        std::uint32_t sum = 0;
        for (integer j = i * n / m; j * m < (i + 1) * n; ++j) {
            const integer overlap = std::min((j + 1) * m, (i + 1) * n) - std::max(j * m, i * n);
            sum += static_cast<std::uint32_t>(overlap) * value(j);
        }
        return sum;
    };
    for (integer y = 0; y < n; ++y)
        for (integer x = 0; x < m; ++x)
            rows[static_cast<std::size_t>(y * m + x)] = along([&](integer j) { return std::uint32_t{in[y * n + j]}; }, x);
    const auto area = static_cast<std::uint32_t>(n * n);
    for (integer y = 0; y < m; ++y)
        for (integer x = 0; x < m; ++x) {
            const std::uint32_t sum = along([&](integer j) { return rows[static_cast<std::size_t>(j * m + x)]; }, y);
            out[y * m + x] = static_cast<std::uint8_t>((sum + area / 2) / area);
        }
}

}  // namespace bilevel::data::detail
