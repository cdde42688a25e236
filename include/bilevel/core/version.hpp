// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

/// The library's version, for the preprocessor: 10000 · major + 100 · minor + patch.
#define BILEVEL_VERSION 100

namespace bilevel {

/// The library's version, in three numbers.
inline constexpr struct {
    int major, minor, patch;
} version{BILEVEL_VERSION / 10000, BILEVEL_VERSION / 100 % 100, BILEVEL_VERSION % 100};

}  // namespace bilevel
