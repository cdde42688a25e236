// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/io/atomic_file.hpp>
#include <bilevel/io/detail/bytes.hpp>
#include <bilevel/io/detail/npy_header.hpp>

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Arrays in NumPy's .npy files: little-endian, C order, any rank. (xtensor reads them too, but takes what is cut short for whole, knows no version 3
/// and does not say what it expected.)
namespace bilevel::io {

/// What a .npy file holds here: '<f4', '<f8', '<i4', '<i8'.
template <class Value>
concept npy_value =
    std::same_as<Value, float> || std::same_as<Value, double> || std::same_as<Value, std::int32_t> || std::same_as<Value, std::int64_t>;

/// An array of any rank, the last extent running fastest.
template <class Value> struct npy_array {
    std::vector<integer> shape;
    std::vector<Value> values;
};

namespace detail {

template <class Value> constexpr const char* npy_type() {
    if constexpr (std::same_as<Value, float>) return "<f4";
    if constexpr (std::same_as<Value, double>) return "<f8";
    if constexpr (std::same_as<Value, std::int32_t>) return "<i4";
    return "<i8";
}

/// How many elements an array of this shape has; none where an extent is negative or no memory holds them.
inline std::optional<std::size_t> npy_count(std::span<const integer> shape) {
    std::size_t count = 1;
    for (const integer extent : shape) {
        const auto e = static_cast<std::size_t>(extent);
        if (extent < 0 || (e != 0 && count > std::numeric_limits<std::size_t>::max() / 16 / e)) return std::nullopt;
        count *= e;
    }
    return count;
}

/// A .npy file that is open, and the beginning of which is understood.
class npy_reader {
public:
    explicit npy_reader(const std::filesystem::path& file) : file_(file.string()), stream_(std::fopen(file.c_str(), "rb"), std::fclose) {
        if (!stream_) fail_by_system("opened");
        std::string begin = read(npy_magic.size() + 2);
        if (begin.compare(0, npy_magic.size(), npy_magic) != 0) fail("is no .npy file: it does not begin with \\x93NUMPY");
        if (begin.size() < npy_magic.size() + 2) fail_cut(begin.size(), npy_magic.size() + 4);
        const int version = static_cast<unsigned char>(begin[npy_magic.size()]);
        if (version < 1 || version > 3) fail("has .npy version " + std::to_string(version) + "; expected 1, 2 or 3");
        const std::size_t width = version == 1 ? 2 : 4, prefix = begin.size() + width;
        const std::string length = read(width);
        if (length.size() < width) fail_cut(begin.size() + length.size(), prefix);
        const std::size_t size = width == 2 ? get<std::uint16_t>(length.data()) : get<std::uint32_t>(length.data());
        const std::string header = read(size);
        if (header.size() < size) fail_cut(prefix + header.size(), prefix + size);
        try {
            header_ = parse_npy_header(header);
        } catch (const data_error& damage) {
            fail(damage.what());
        }
        if (header_.fortran_order && header_.shape.size() > 1) fail("is in Fortran order; expected C order (numpy.ascontiguousarray)");
        data_ = prefix + size;
    }

    const std::vector<integer>& shape() const { return header_.shape; }
    bool holds(const char* type) const { return header_.type == type; }

    void expect_shape(std::span<const integer> expected) const {
        bool fits = header_.shape.size() == expected.size();
        for (std::size_t i = 0; fits && i < expected.size(); ++i) fits = expected[i] < 0 || expected[i] == header_.shape[i];
        if (!fits) fail("has shape " + npy_shape_text(header_.shape) + "; expected " + npy_shape_text(expected));
    }
    [[noreturn]] void fail_type(const char* small, const char* large) const {
        fail("holds dtype '" + header_.type + "'; expected '" + small + "' or '" + large + "'");
    }

    /// The elements, which lie there as Stored, as Value. Refuses integers that do not fit.
    template <class Stored, class Value> std::vector<Value> values() {
        const auto count = npy_count(header_.shape);
        if (!count) fail("has shape " + npy_shape_text(header_.shape) + ", which no memory holds");
        expect_size(*count * sizeof(Stored));
        std::vector<Value> all(*count);
        constexpr std::size_t most = 4096;
        for (std::size_t done = 0; done < *count;) {
            const std::size_t bytes = std::min(most, *count - done) * sizeof(Stored);
            const std::string part = read(bytes);
            if (part.size() != bytes) fail("was cut short while it was read");
            for (std::size_t at = 0; at < part.size(); at += sizeof(Stored), ++done)
                all[done] = converted<Value>(get<Stored>(part.data() + at), done);
        }
        return all;
    }

private:
    [[noreturn]] void fail(const std::string& what) const { throw data_error(file_ + ": " + what); }
    [[noreturn]] void fail_by_system(const char* what) const { fail(std::string("cannot be ") + what + ": " + std::strerror(errno)); }
    [[noreturn]] void fail_cut(std::size_t found, std::size_t expected) const {
        fail("is cut short: it has " + std::to_string(found) + " bytes; expected " + std::to_string(expected) + " or more");
    }

    // Before memory is taken for what a damaged header promises.
    void expect_size(std::size_t bytes) {
        const long here = std::ftell(stream_.get());
        if (here < 0 || std::fseek(stream_.get(), 0, SEEK_END) != 0) fail_by_system("read");
        const auto found = static_cast<std::size_t>(std::ftell(stream_.get()));
        if (std::fseek(stream_.get(), here, SEEK_SET) != 0) fail_by_system("read");
        if (found != data_ + bytes)
            fail("is cut short or damaged: it has " + std::to_string(found) + " bytes; expected " + std::to_string(data_ + bytes) +
                 " for shape " + npy_shape_text(header_.shape) + " of '" + header_.type + "'");
    }

    std::string read(std::size_t bytes) {
        std::string all;
        char part[1 << 15];
        while (all.size() < bytes) {  // piecewise: a damaged length must not take memory that the file does not fill
            const std::size_t n = std::fread(part, 1, std::min(sizeof part, bytes - all.size()), stream_.get());
            if (n == 0) break;
            all.append(part, n);
        }
        if (std::ferror(stream_.get())) fail_by_system("read");
        return all;
    }

    template <class Value, class Stored> Value converted(Stored value, [[maybe_unused]] std::size_t at) const {
        if constexpr (std::integral<Value> && sizeof(Value) < sizeof(Stored)) {
            if (value < Stored{std::numeric_limits<Value>::min()} || value > Stored{std::numeric_limits<Value>::max()})
                fail("holds " + std::to_string(value) + " as element " + std::to_string(at) + "; expected numbers of 32 bits");
        }
        return static_cast<Value>(value);
    }

    std::string file_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream_;
    npy_header header_;
    std::size_t data_ = 0;
};

template <npy_value Value> npy_array<Value> read_npy(npy_reader file) {
    npy_array<Value> all{file.shape(), {}};
    if constexpr (std::integral<Value>) {
        if (file.holds("<i4")) {
            all.values = file.values<std::int32_t, Value>();
        } else if (file.holds("<i8")) {
            all.values = file.values<std::int64_t, Value>();
        } else {
            file.fail_type("<i4", "<i8");
        }
    } else {
        if (file.holds("<f4")) {
            all.values = file.values<float, Value>();
        } else if (file.holds("<f8")) {
            all.values = file.values<double, Value>();
        } else {
            file.fail_type("<f4", "<f8");
        }
    }
    return all;
}

}  // namespace detail

/// The array of a file, whose elements may be the narrower or the wider ones of Value's kind: floats are rounded to Value, integers must fit.
/// Throws `data_error` that begins with the file's name and says what was found and what was expected: where it cannot be read, is no .npy file, is
/// cut short, has another version than 1 to 3, another dtype or Fortran order.
template <npy_value Value> npy_array<Value> read_npy(const std::filesystem::path& file) {
    return detail::read_npy<Value>(detail::npy_reader(file));
}

/// The same, of a shape: −1 stands for any extent. Throws `data_error` also where the file has another.
template <npy_value Value> npy_array<Value> read_npy(const std::filesystem::path& file, std::span<const integer> expected) {
    detail::npy_reader reader(file);
    reader.expect_shape(expected);
    return detail::read_npy<Value>(std::move(reader));
}

/// The shape of the array in a file, without its elements. Throws `data_error` as `read_npy`.
inline std::vector<integer> npy_shape(const std::filesystem::path& file) { return detail::npy_reader(file).shape(); }

/// Writes an array, whole or not at all, as version 1, or 2 where the header needs it. Throws `argument_error` where the shape has another number of elements or is none,
/// `data_error` that begins with the file's name where the file cannot be written.
template <npy_value Value>
void write_npy(const std::filesystem::path& file, std::span<const integer> shape, std::span<const Value> values) {
    const auto count = detail::npy_count(shape);
    if (!count || *count != values.size())
        throw argument_error("npy: shape " + detail::npy_shape_text(shape) + " for " + std::to_string(values.size()) +
                             " elements; expected " + (count ? std::to_string(*count) : "extents of 0 or more that memory holds"));
    std::string bytes = detail::npy_header_bytes(detail::npy_type<Value>(), shape);
    bytes.reserve(bytes.size() + values.size_bytes());
    for (const Value value : values) detail::put(bytes, value);
    write_atomically(file, bytes);
}

}  // namespace bilevel::io
