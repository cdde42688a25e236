// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace bilevel {

/// A string literal as a template argument: the name of a parameter array is part of its type.
template <std::size_t Size> struct fixed_string {
    char text[Size]{};
    constexpr fixed_string(const char (&literal)[Size]) {
        for (std::size_t i = 0; i < Size; ++i) text[i] = literal[i];
    }
    constexpr std::string_view view() const { return {text, Size - 1}; }
};

}  // namespace bilevel
