// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "../io/temporary_folder.hpp"

#include <bilevel/data/detail/png.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

/// A PNG file of one bit a pixel, as Omniglot's are; `paper(x, y)` says which pixels are white. The zlib stream is stored, not compressed.
inline std::string one_bit_png(int width, int height, const std::function<bool(int, int)>& paper) {
    const auto word = [](std::uint32_t v) {
        return std::string{static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
    };
    const auto chunk = [&](std::string_view type, const std::string& content) {
        const std::string body = std::string(type) + content;
        return word(static_cast<std::uint32_t>(content.size())) + body +
               word(bilevel::data::detail::crc32({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()}));
    };
    std::string rows;
    for (int y = 0; y < height; ++y) {
        rows += '\0';  // no filter
        for (int byte = 0; byte < (width + 7) / 8; ++byte) {
            unsigned bits = 0;
            for (int bit = 0; bit < 8; ++bit) bits = bits << 1 | (8 * byte + bit < width && paper(8 * byte + bit, y) ? 1u : 0u);
            rows += static_cast<char>(bits);
        }
    }
    std::uint32_t a = 1, b = 0;
    for (const char c : rows) {
        a = (a + static_cast<unsigned char>(c)) % 65521;
        b = (b + a) % 65521;
    }
    const auto size = static_cast<unsigned>(rows.size());
    std::string stream{
        0x78, 0x01, 0x01, static_cast<char>(size), static_cast<char>(size >> 8), static_cast<char>(~size), static_cast<char>(~size >> 8)};
    stream += rows + word(b << 16 | a);
    const std::string header =
        word(static_cast<std::uint32_t>(width)) + word(static_cast<std::uint32_t>(height)) + std::string("\1\0\0\0\0", 5);
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", stream) + chunk("IEND", "");
}

/// A folder laid out as Omniglot is, with few characters: Greek 1-3, Latin 1-2 (background), Runes 1-2 (evaluation), 3 drawings each.
/// Drawing d of the n-th character (of all, in that order) has ink in a bar of 15 (d + 1) rows from the top and 15 (n + 1) columns from the
/// left.
inline void make_fake_omniglot(const std::filesystem::path& folder) {
    int n = 0;
    for (const char* name :
         {"images_background/Greek/character01", "images_background/Greek/character02", "images_background/Greek/character03",
          "images_background/Latin/character01", "images_background/Latin/character02", "images_evaluation/Runes/character01",
          "images_evaluation/Runes/character02"}) {
        for (int d = 0; d < 3; ++d)
            write_file(folder / name / ("0" + std::to_string(n) + "_0" + std::to_string(d) + ".png"),
                       one_bit_png(105, 105, [&](int x, int y) { return x >= 15 * (n + 1) || y >= 15 * (d + 1); }));
        ++n;
    }
}
