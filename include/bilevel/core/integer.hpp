// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace bilevel {

/// The signed type of every extent, count and offset: differences of indices are then never a surprise.
using integer = std::ptrdiff_t;

}  // namespace bilevel
