// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/io/detail/bytes.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

/// The beginning of a .npy file:
///     "\x93NUMPY", uint8 version, uint8 0, uint16 (version 1) or uint32 (2, 3) length of the header,
///     the header: {'descr': '<f4', 'fortran_order': False, 'shape': (4, 5), }, spaces, a newline; all that is a multiple of 64 bytes
namespace bilevel::io::detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

struct npy_header {
    std::string type;
    bool fortran_order = false;
    std::vector<integer> shape;
};

/// "(4, 5)", as Python writes a tuple; a negative extent is "any".
inline std::string npy_shape_text(std::span<const integer> shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i)
        (text += i > 0 ? ", " : "") += shape[i] < 0 ? std::string("any") : std::to_string(shape[i]);
    return text += shape.size() == 1 ? ",)" : ")";
}

/// Reads the header: a Python dictionary with the keys 'descr', 'fortran_order' and 'shape' in any order. Throws `data_error` that says what is
/// wrong, without the file's name.
class npy_header_parser {
public:
    explicit npy_header_parser(std::string_view text) : rest_(text) {}

    npy_header parse() {
        npy_header header;
        bool has_type = false, has_order = false, has_shape = false;
        expect('{');
        while (!take('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr" && !has_type) {
                if (peek() == '[') throw data_error("holds a structured dtype; expected plain numbers");
                header.type = quoted();
                has_type = true;
            } else if (key == "fortran_order" && !has_order) {
                header.fortran_order = truth();
                has_order = true;
            } else if (key == "shape" && !has_shape) {
                header.shape = tuple();
                has_shape = true;
            } else {
                fail();
            }
            if (!take(',') && peek() != '}') fail();
        }
        if (!has_type || !has_order || !has_shape || peek() != '\0') fail();
        return header;
    }

private:
    [[noreturn]] static void fail() {
        throw data_error("is damaged: its header is not {'descr': ..., 'fortran_order': ..., 'shape': (...)}");
    }

    char peek() {
        const std::size_t at = rest_.find_first_not_of(" \t\r\n");
        rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
        return rest_.empty() ? '\0' : rest_[0];
    }
    bool take(char c) {
        if (peek() != c || rest_.empty()) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!take(c)) fail();
    }
    std::string quoted() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') fail();
        const std::size_t end = rest_.find(quote, 1);
        if (end == std::string_view::npos) fail();
        std::string text(rest_.substr(1, end - 1));
        rest_.remove_prefix(end + 1);
        return text;
    }
    bool truth() {
        peek();
        for (const std::string_view word : {"True", "False"})
            if (rest_.substr(0, word.size()) == word) {
                rest_.remove_prefix(word.size());
                return word == "True";
            }
        fail();
    }
    std::vector<integer> tuple() {
        std::vector<integer> extents;
        expect('(');
        while (!take(')')) {
            peek();
            integer extent = 0;
            const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
            if (problem != std::errc{} || extent < 0) fail();
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            extents.push_back(extent);
            if (!take(',') && peek() != ')') fail();
        }
        return extents;
    }

    std::string_view rest_;
};

inline npy_header parse_npy_header(std::string_view text) { return npy_header_parser(text).parse(); }

/// All that comes before the elements.
inline std::string npy_header_bytes(const char* type, std::span<const integer> shape) {
    std::string header = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': " + npy_shape_text(shape) + ", }";
    constexpr std::size_t alignment = 64, short_prefix = npy_magic.size() + 4, most_in_version_1 = 0xffff - alignment;
    const bool is_long = header.size() > most_in_version_1;
    const std::size_t prefix = short_prefix + (is_long ? 2 : 0);
    header.append(alignment - 1 - (prefix + header.size()) % alignment, ' ');
    header += '\n';
    std::string bytes(npy_magic);
    bytes += is_long ? '\2' : '\1';
    bytes += '\0';
    if (is_long) {
        put(bytes, static_cast<std::uint32_t>(header.size()));
    } else {
        put(bytes, static_cast<std::uint16_t>(header.size()));
    }
    return bytes + header;
}

}  // namespace bilevel::io::detail
