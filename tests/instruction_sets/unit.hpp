// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace plain_unit {
std::string instructions();
std::vector<float> convolve();
}  // namespace plain_unit

namespace wide_unit {
std::string instructions();
std::vector<float> convolve();
}  // namespace wide_unit

namespace widest_unit {
std::string instructions();
std::vector<float> convolve();
}  // namespace widest_unit
