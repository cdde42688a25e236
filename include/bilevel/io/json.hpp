// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/io/atomic_file.hpp>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bilevel::io {

namespace detail {

/// The shortest text that reads back as the same number; JSON has none for NaN and the infinities, which become null.
template <class Number> std::string json_number(Number number) {
    if constexpr (std::floating_point<Number>)
        if (!std::isfinite(number)) return "null";
    char text[64];
    return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

/// How many bytes the UTF-8 character at the beginning of `text` has; 0 where there is none.
inline std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned first = byte(0), second = byte(1);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xc2 && first < 0xe0 ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool surrogate = first == 0xed && second >= 0xa0, beyond = first == 0xf4 && second >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

/// A quoted JSON string; bytes that are not UTF-8 become U+FFFD.
inline std::string json_string(std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out = "\"";
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text[0]);
        const std::size_t length = utf8_length(text);
        if (c == '"' || c == '\\')
            (out += '\\') += text[0];
        else if (c == '\n')
            out += "\\n";
        else if (c < 0x20 || c == 0x7f)
            ((out += "\\u00") += hex[c >> 4]) += hex[c & 15];
        else if (length == 0)
            out += "\\ufffd";
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out += '"';
}

}  // namespace detail

/// A JSON value to be written:  `json::object().set("accuracy", 0.97).set("settings", json::object().set("ways", 5))`. Members keep their
/// order.
class json {
public:
    json() : leaf_("null") {}
    template <std::same_as<bool> Bool> json(Bool value) : leaf_(value ? "true" : "false") {}  // not what merely converts: a pointer, a char
    template <class Number>
        requires(std::integral<Number> || std::floating_point<Number>) && (!std::same_as<Number, bool>) && (!std::same_as<Number, char>)
    json(Number value) : leaf_(detail::json_number(value)) {}
    json(std::string_view value) : leaf_(detail::json_string(value)) {}
    json(const std::string& value) : json(std::string_view(value)) {}
    json(const char* value) : json(std::string_view(value)) {}

    static json object() { return json(kind::object); }
    static json array() { return json(kind::array); }
    /// An array of the numbers or strings of a range.
    template <class Range> static json array(const Range& range) {
        json result = array();
        for (const auto& value : range) result.push(value);
        return result;
    }

    /// Sets a member of an object, in place of one of this name. Throws `argument_error` where this is no object.
    json& set(std::string_view name, json value) {
        if (kind_ != kind::object) throw argument_error("json: '" + std::string(name) + "' set in what is no object");
        for (auto& [key, old] : members_)
            if (key == name) {
                old = std::move(value);
                return *this;
            }
        members_.emplace_back(name, std::move(value));
        return *this;
    }
    /// Appends to an array. Throws `argument_error` where this is none.
    json& push(json value) {
        if (kind_ != kind::array) throw argument_error("json: push into what is no array");
        members_.emplace_back(std::string(), std::move(value));
        return *this;
    }

    /// The text: objects with a member a line, arrays of plain values in one line.
    std::string text(std::size_t indent = 0) const {
        if (kind_ == kind::leaf) return leaf_;
        const bool is_object = kind_ == kind::object;
        bool one_line = !is_object;
        for (const auto& [name, value] : members_) one_line = one_line && value.kind_ == kind::leaf;
        std::string out = is_object ? "{" : "[";
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (i > 0) out += one_line ? ", " : ",";
            if (!one_line) (out += '\n').append(indent + 2, ' ');
            if (is_object) (out += detail::json_string(members_[i].first)) += ": ";
            out += members_[i].second.text(indent + 2);
        }
        if (!one_line && !members_.empty()) (out += '\n').append(indent, ' ');
        return out += is_object ? '}' : ']';
    }

    /// Writes the text and a newline, whole or not at all. Throws `data_error` that begins with the file's name.
    void write(const std::filesystem::path& file) const { write_atomically(file, text() + "\n"); }

private:
    enum class kind { leaf, object, array };
    explicit json(kind k) : kind_(k) {}

    kind kind_ = kind::leaf;
    std::string leaf_;
    std::vector<std::pair<std::string, json>> members_;
};

}  // namespace bilevel::io
