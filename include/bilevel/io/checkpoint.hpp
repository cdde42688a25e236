// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/io/atomic_file.hpp>
#include <bilevel/io/detail/bytes.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// A container of named arrays in one file, the same bytes for the same content. Little-endian:
///     "bilevel\n", uint32 format, uint32 number of sections, uint64 size of the file
///     each section: uint32 length of the name, the name, uint32 kind, uint64 count, the elements
///     uint64 FNV-1a hash of all that
namespace bilevel::io {

/// What a checkpoint holds arrays of.
template <class Value>
concept checkpoint_value = std::is_same_v<Value, float> || std::is_same_v<Value, double> || std::is_same_v<Value, std::int64_t> ||
                           std::is_same_v<Value, std::uint64_t>;

namespace detail {

inline constexpr std::string_view checkpoint_magic = "bilevel\n";
inline constexpr std::uint32_t checkpoint_format = 1;
inline constexpr std::size_t checkpoint_header = 24;

enum class section_kind : std::uint32_t { text = 0, float32 = 1, float64 = 2, int64 = 3, uint64 = 4 };

template <class Value> constexpr section_kind kind_of() {
    if constexpr (std::is_same_v<Value, float>) return section_kind::float32;
    if constexpr (std::is_same_v<Value, double>) return section_kind::float64;
    if constexpr (std::is_same_v<Value, std::int64_t>) return section_kind::int64;
    if constexpr (std::is_same_v<Value, std::uint64_t>) return section_kind::uint64;
    return section_kind::text;
}

inline const char* kind_name(section_kind kind) {
    static constexpr const char* names[] = {"text", "float", "double", "int64", "uint64"};
    return static_cast<std::uint32_t>(kind) < 5 ? names[static_cast<std::uint32_t>(kind)] : "unknown";
}

inline std::size_t kind_size(section_kind kind) { return kind == section_kind::text ? 1 : kind == section_kind::float32 ? 4 : 8; }

}  // namespace detail

/// Collects sections and writes them.
class checkpoint_writer {
public:
    checkpoint_writer() : bytes_(detail::checkpoint_magic) { bytes_.resize(detail::checkpoint_header); }

    /// Adds a section of floats, doubles, int64s or uint64s: anything with `data()` and `size()`. Throws `argument_error` where the name is
    /// taken.
    template <class Values>
        requires checkpoint_value<std::remove_cvref_t<decltype(*std::data(std::declval<const Values&>()))>>
    void add(std::string_view name, const Values& values) {
        using value = std::remove_cvref_t<decltype(*std::data(values))>;
        begin(name, detail::kind_of<value>(), std::size(values));
        for (std::size_t i = 0; i < std::size(values); ++i) detail::put(bytes_, std::data(values)[i]);
    }
    /// Adds a section with one number.
    template <checkpoint_value Value> void add(std::string_view name, Value value) { add(name, std::span<const Value>(&value, 1)); }
    /// Adds a section of text.
    void add(std::string_view name, std::string_view text) {
        begin(name, detail::section_kind::text, text.size());
        bytes_ += text;
    }

    /// The content of the file.
    std::string bytes() const {
        std::string header(detail::checkpoint_magic), all = bytes_;
        detail::put(header, detail::checkpoint_format);
        detail::put(header, static_cast<std::uint32_t>(names_.size()));
        detail::put(header, static_cast<std::uint64_t>(all.size() + 8));
        all.replace(0, header.size(), header);
        detail::put(all, detail::hash(all));
        return all;
    }

    /// Writes the file whole or not at all. Throws `checkpoint_error` that begins with its name.
    void write(const std::filesystem::path& file) const {
        try {
            write_atomically(file, bytes());
        } catch (const data_error& failure) {
            throw checkpoint_error(failure.what());
        }
    }

private:
    void begin(std::string_view name, detail::section_kind kind, std::size_t count) {
        if (std::find(names_.begin(), names_.end(), name) != names_.end())
            throw argument_error("checkpoint: there is a section '" + std::string(name) + "' already");
        names_.emplace_back(name);
        detail::put(bytes_, static_cast<std::uint32_t>(name.size()));
        bytes_ += name;
        detail::put(bytes_, static_cast<std::uint32_t>(kind));
        detail::put(bytes_, static_cast<std::uint64_t>(count));
    }

    std::string bytes_;
    std::vector<std::string> names_;
};

/// Reads a file of `checkpoint_writer`; all of it is checked before anything is handed out.
class checkpoint_reader {
public:
    /// Throws `checkpoint_error` that begins with the file's name where it cannot be read, is no checkpoint, is cut short or damaged, or
    /// has another format.
    explicit checkpoint_reader(const std::filesystem::path& file) : file_(file.string()) {
        load(file);
        if (bytes_.compare(0, detail::checkpoint_magic.size(), detail::checkpoint_magic) != 0) fail("is no checkpoint of bilevel");
        if (bytes_.size() < detail::checkpoint_header + 8) fail_cut(detail::checkpoint_header + 8);
        if (const auto format = get<std::uint32_t>(8); format != detail::checkpoint_format)
            fail("has checkpoint format " + std::to_string(format) + "; expected " + std::to_string(detail::checkpoint_format));
        if (const auto size = get<std::uint64_t>(16); size != bytes_.size()) fail_cut(size);
        const std::size_t end = bytes_.size() - 8;
        if (get<std::uint64_t>(end) != detail::hash(std::string_view(bytes_).substr(0, end)))
            fail("is damaged: its check sum is not the one expected");
        std::size_t at = detail::checkpoint_header;
        for (auto left = get<std::uint32_t>(12); left > 0; --left) at = index(at, end);
        if (at != end) fail("is damaged: it is longer than its sections");
    }

    /// Whether there is a section of this name.
    bool has(std::string_view name) const { return sections_.find(name) != sections_.end(); }
    /// How many elements a section has. Throws `checkpoint_error` where there is none.
    integer count(std::string_view name) const { return static_cast<integer>(find(name).count); }

    /// The numbers of a section. Throws `checkpoint_error` where there is none of this name or it holds something else.
    template <checkpoint_value Value> std::vector<Value> values(std::string_view name) const {
        std::vector<Value> out(find(name).count);
        read(name, std::span<Value>(out));
        return out;
    }
    /// The numbers of a section, into memory of the caller's. Throws as `values`, and where the section has another count than `out`.
    template <checkpoint_value Value> void read(std::string_view name, std::span<Value> out) const {
        const section& s = find(name, detail::kind_of<Value>());
        if (s.count != out.size())
            fail("section '" + std::string(name) + "' has " + std::to_string(s.count) + " elements; expected " +
                 std::to_string(out.size()));
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = get<Value>(s.begin + i * sizeof(Value));
    }
    /// The one number of a section. Throws as `read`.
    template <checkpoint_value Value> Value value(std::string_view name) const {
        Value out{};
        read(name, std::span<Value>(&out, 1));
        return out;
    }
    /// The text of a section. Throws as `values`.
    std::string text(std::string_view name) const {
        const section& s = find(name, detail::section_kind::text);
        return bytes_.substr(s.begin, s.count);
    }
    /// The file's name, for messages.
    const std::string& file() const { return file_; }

private:
    struct section {
        detail::section_kind kind{};
        std::size_t begin = 0, count = 0;
    };

    [[noreturn]] void fail(const std::string& what) const { throw checkpoint_error(file_ + ": " + what); }
    [[noreturn]] void fail_cut(std::uint64_t expected) const {
        fail("is cut short or damaged: it has " + std::to_string(bytes_.size()) + " bytes; expected " + std::to_string(expected));
    }

    void load(const std::filesystem::path& file) {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"), std::fclose);
        if (!stream) fail(std::string("cannot be opened: ") + std::strerror(errno));
        char part[1 << 16];
        while (const std::size_t n = std::fread(part, 1, sizeof part, stream.get())) {
            bytes_.append(part, n);
            if (bytes_.compare(0, detail::checkpoint_magic.size(), detail::checkpoint_magic) != 0)
                return;  // of a foreign file the beginning will do
        }
        if (std::ferror(stream.get())) fail(std::string("cannot be read: ") + std::strerror(errno));
    }

    template <class Value> Value get(std::size_t at) const { return detail::get<Value>(bytes_.data() + at); }

    /// Enters the section that begins at `at` and says where the next one does.
    std::size_t index(std::size_t at, std::size_t end) {
        const auto need = [&](std::uint64_t count, std::size_t size) {
            if (count > (end - at) / size) fail("is damaged: a section is longer than the file");
        };
        need(1, 4);
        const std::size_t length = get<std::uint32_t>(at);
        at += 4;
        need(length, 1);
        std::string name = bytes_.substr(at, length);
        at += length;
        need(1, 12);
        section s{static_cast<detail::section_kind>(get<std::uint32_t>(at)), at + 12, 0};
        const auto count = get<std::uint64_t>(at + 4);
        at += 12;
        need(count, detail::kind_size(s.kind));
        s.count = static_cast<std::size_t>(count);
        sections_.emplace(std::move(name), s);
        return at + s.count * detail::kind_size(s.kind);
    }

    const section& find(std::string_view name) const {
        const auto found = sections_.find(name);
        if (found == sections_.end()) fail("has no section '" + std::string(name) + "'");
        return found->second;
    }
    const section& find(std::string_view name, detail::section_kind kind) const {
        const section& s = find(name);
        if (s.kind != kind)
            fail("section '" + std::string(name) + "' holds " + detail::kind_name(s.kind) + "; expected " + detail::kind_name(kind));
        return s;
    }

    std::string file_, bytes_;
    std::map<std::string, section, std::less<>> sections_;
};

}  // namespace bilevel::io
