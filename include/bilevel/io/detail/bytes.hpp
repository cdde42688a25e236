// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bilevel::io::detail {

/// Appends the bytes of a number, least significant first.
template <class Value> void put(std::string& bytes, Value value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    if constexpr (std::endian::native == std::endian::big) std::reverse(raw, raw + sizeof value);
    bytes.append(raw, sizeof value);
}

/// The number whose bytes begin at `at`, least significant first.
template <class Value> Value get(const char* at) {
    char raw[sizeof(Value)];
    std::memcpy(raw, at, sizeof raw);
    if constexpr (std::endian::native == std::endian::big) std::reverse(raw, raw + sizeof raw);
    Value value;
    std::memcpy(&value, raw, sizeof raw);
    return value;
}

/// The 64-bit FNV-1a hash: any one changed byte changes it.
inline std::uint64_t hash(std::string_view bytes) {
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return h;
}

}  // namespace bilevel::io::detail
