// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/data/detail/stb_image.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace bilevel::data::detail {

/// The CRC-32 of PNG and zip.
inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t c = i;
            for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? 0xedb88320u ^ (c >> 1) : c >> 1;
            t[i] = c;
        }
        return t;
    }();
    std::uint32_t c = 0xffffffffu;
    for (const std::uint8_t b : bytes) c = table[(c ^ b) & 0xff] ^ (c >> 8);
    return c ^ 0xffffffffu;
}

/// Throws `data_error` unless `bytes` are a whole PNG file: signature, and chunks with the right check sums up to IEND. (stb_image checks
/// none of this: a flipped bit would decode to another picture, and a short file to half a one.)
inline void require_png(std::span<const std::uint8_t> bytes, const std::string& file) {
    static constexpr std::uint8_t signature[8] = {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a};
    if (bytes.size() < 8 || std::memcmp(bytes.data(), signature, 8) != 0) throw data_error(file + ": expected a PNG image");
    const auto word = [&](std::size_t at) {
        return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
    };
    for (std::size_t at = 8;;) {
        const std::size_t left = bytes.size() - at;
        if (left < 12 || word(at) > left - 12)
            throw data_error(file + ": the PNG image is cut short after " + std::to_string(bytes.size()) + " bytes");
        const std::size_t length = word(at);
        if (crc32(bytes.subspan(at + 4, length + 4)) != word(at + 8 + length))
            throw data_error(file + ": the PNG image is damaged: wrong check sum of the chunk at byte " + std::to_string(at));
        if (std::memcmp(bytes.data() + at + 4, "IEND", 4) == 0) return;
        at += length + 12;
    }
}

/// The grey values of a PNG file of the given size.  // (height, width)
/// Throws `data_error` where the bytes are no whole PNG image, or one of another size.
inline std::vector<std::uint8_t> decode_grey_png(std::span<const std::uint8_t> bytes, const std::string& file, integer height,
                                                 integer width) {
    require_png(bytes, file);
    const auto fail = [&] { return data_error(file + ": not a PNG image that can be read: " + stb::stbi_failure_reason()); };
    const int size = static_cast<int>(bytes.size());
    int w = 0, h = 0, channels = 0;
    if (!stb::stbi_info_from_memory(bytes.data(), size, &w, &h, &channels)) throw fail();
    if (w != width || h != height)  // before anything of that size is allocated
        throw data_error(file + ": expected an image of " + std::to_string(width) + "x" + std::to_string(height) + " pixels, found " +
                         std::to_string(w) + "x" + std::to_string(h));
    const std::unique_ptr<stb::stbi_uc, void (*)(void*)> pixels(stb::stbi_load_from_memory(bytes.data(), size, &w, &h, &channels, 1),
                                                                stb::stbi_image_free);
    if (!pixels) throw fail();
    return {pixels.get(), pixels.get() + width * height};
}

/// All bytes of a file of at most `limit` bytes. Throws `data_error` where it cannot be read or is larger.
inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file, std::size_t limit) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"), std::fclose);
    if (!stream) throw data_error(file.string() + ": cannot be opened: " + std::strerror(errno));
    std::vector<std::uint8_t> bytes;
    for (std::uint8_t part[4096]; const std::size_t n = std::fread(part, 1, sizeof part, stream.get());) {
        bytes.insert(bytes.end(), part, part + n);
        if (bytes.size() > limit) throw data_error(file.string() + ": expected at most " + std::to_string(limit) + " bytes");
    }
    if (std::ferror(stream.get())) throw data_error(file.string() + ": cannot be read: " + std::strerror(errno));
    return bytes;
}

}  // namespace bilevel::data::detail
