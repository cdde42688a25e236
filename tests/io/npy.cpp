// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "temporary_folder.hpp"

#include <bilevel/io/npy.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using bilevel::argument_error;
using bilevel::data_error;
using bilevel::integer;
using bilevel::io::npy_shape;
using bilevel::io::read_npy;
using bilevel::io::write_npy;

namespace {

// What numpy.save(file, numpy.array([[1, 2], [3, 4]], '<f4')) writes, less the elements.
const std::string header_of_numpy =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }                                                          \n";
const std::string one_to_four("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 16);

std::string file_of(int version, const std::string& header, const std::string& elements) {
    std::string bytes = "\x93NUMPY";
    (bytes += char(version)) += '\0';
    const auto length = static_cast<std::uint32_t>(header.size());
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += char(length >> (8 * i));
    return bytes + header + elements;
}

template <class Value> void check_round_trip(const std::vector<integer>& shape, const std::vector<Value>& values) {
    const temporary_folder folder;
    write_npy<Value>(folder / "a.npy", shape, values);
    const auto back = read_npy<Value>(folder / "a.npy");
    CHECK(back.shape == shape);
    CHECK(back.values == values);
    CHECK(npy_shape(folder / "a.npy") == shape);
    CHECK((std::filesystem::file_size(folder / "a.npy") - values.size() * sizeof(Value)) % 64 == 0);
}

// The message of the refusal, less the file's name, which every one begins with.
template <class Value = float> std::string refusal(const std::string& bytes) {
    const temporary_folder folder;
    write_file(folder / "a.npy", bytes);
    const std::string message = message_of<data_error>([&] { read_npy<Value>(folder / "a.npy"); });
    const std::string name = (folder / "a.npy").string() + ": ";
    CHECK(message.starts_with(name));
    return message.substr(std::min(name.size(), message.size()));
}
std::string refusal_of_header(const std::string& header) { return refusal(file_of(1, header, one_to_four)); }

}  // namespace

TEST_CASE("npy: every type and rank comes back, to the last bit") {
    check_round_trip<float>({2, 3}, {1.5f, -2, std::numeric_limits<float>::denorm_min(), 3, 4, std::numeric_limits<float>::infinity()});
    check_round_trip<double>({4}, {0.1, -1e300, 0, 1.0 / 3});
    check_round_trip<std::int32_t>({1, 2, 1, 1}, {std::numeric_limits<std::int32_t>::min(), 7});
    check_round_trip<std::int64_t>({2}, {std::numeric_limits<std::int64_t>::max(), -1});
    check_round_trip<double>({}, {42});
    check_round_trip<float>({3, 0, 2}, {});
    std::vector<float> many(100000);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = float(i);
    check_round_trip<float>({100, 1000}, many);
}

TEST_CASE("npy: what NumPy writes is read, in each version") {
    const temporary_folder folder;
    for (const int version : {1, 2, 3}) {
        CAPTURE(version);
        write_file(folder / "a.npy", file_of(version, header_of_numpy, one_to_four));
        const auto a = read_npy<float>(folder / "a.npy");
        CHECK(a.shape == std::vector<integer>{2, 2});
        CHECK(a.values == std::vector<float>{1, 2, 3, 4});
    }
    // Keys in another order, other quotes and spaces, a header whose length has its high bits set.
    write_file(folder / "a.npy",
               file_of(1, R"({ "shape":(2 , 2) , "fortran_order" : False,"descr": "<f4"})" + std::string(140, ' ') + "\n", one_to_four));
    CHECK(read_npy<float>(folder / "a.npy").values == std::vector<float>{1, 2, 3, 4});
    // A vector has only one order.
    write_file(folder / "a.npy", file_of(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (4,)}\n", one_to_four));
    CHECK(read_npy<float>(folder / "a.npy").shape == std::vector<integer>{4});
}

TEST_CASE("npy: the header is padded to 64 bytes and names what follows") {
    const temporary_folder folder;
    write_npy<float>(folder / "a.npy", std::vector<integer>{2, 2}, std::vector<float>{1, 2, 3, 4});
    CHECK(read_file(folder / "a.npy") == file_of(1, header_of_numpy, one_to_four));
    const std::vector<integer> ones(30000, 1);  // a header that version 1 cannot hold
    write_npy<float>(folder / "b.npy", ones, std::vector<float>{5});
    CHECK(read_file(folder / "b.npy")[6] == 2);
    CHECK(read_npy<float>(folder / "b.npy").shape == ones);
}

TEST_CASE("npy: the narrower and the wider type of a kind are converted") {
    const temporary_folder folder;
    write_npy<double>(folder / "a.npy", std::vector<integer>{2}, std::vector<double>{0.1, 1e300});
    const auto narrow = read_npy<float>(folder / "a.npy");
    CHECK(narrow.values[0] == 0.1f);
    CHECK(std::isinf(narrow.values[1]));
    write_npy<float>(folder / "a.npy", std::vector<integer>{1}, std::vector<float>{0.1f});
    CHECK(read_npy<double>(folder / "a.npy").values[0] == double(0.1f));
    write_npy<std::int64_t>(folder / "a.npy", std::vector<integer>{2}, std::vector<std::int64_t>{-5, 2147483647});
    CHECK(read_npy<std::int32_t>(folder / "a.npy").values == std::vector<std::int32_t>{-5, 2147483647});
    write_npy<std::int64_t>(folder / "a.npy", std::vector<integer>{2}, std::vector<std::int64_t>{0, 2147483648});
    CHECK(contains(message_of<data_error>([&] { read_npy<std::int32_t>(folder / "a.npy"); }),
                   "holds 2147483648 as element 1; expected numbers of 32 bits"));
}

TEST_CASE("npy: a shape is asked for, and named where it is another") {
    const temporary_folder folder;
    write_npy<float>(folder / "a.npy", std::vector<integer>{2, 2}, std::vector<float>{1, 2, 3, 4});
    const auto refused = [&](const std::vector<integer>& expected) {
        return message_of<data_error>([&] { read_npy<float>(folder / "a.npy", expected); });
    };
    CHECK(read_npy<float>(folder / "a.npy", std::vector<integer>{-1, 2}).values.size() == 4);
    CHECK(refused({2, 3}) == (folder / "a.npy").string() + ": has shape (2, 2); expected (2, 3)");
    CHECK(refused({4}) == (folder / "a.npy").string() + ": has shape (2, 2); expected (4,)");
    CHECK(refused({-1, 2, 5}) == (folder / "a.npy").string() + ": has shape (2, 2); expected (any, 2, 5)");
}

TEST_CASE("npy: another type, order or version is named") {
    CHECK(refusal<std::int32_t>(file_of(1, header_of_numpy, one_to_four)) == "holds dtype '<f4'; expected '<i4' or '<i8'");
    CHECK(refusal_of_header("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }") == "holds dtype '>f4'; expected '<f4' or '<f8'");
    CHECK(refusal_of_header("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }") == "holds dtype '<i8'; expected '<f4' or '<f8'");
    CHECK(refusal_of_header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (4,), }") ==
          "holds a structured dtype; expected plain numbers");
    CHECK(
        contains(refusal_of_header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"), "is in Fortran order; expected C order"));
    CHECK(refusal(file_of(4, header_of_numpy, one_to_four)) == "has .npy version 4; expected 1, 2 or 3");
    CHECK(contains(refusal("PK\3\4 a zip of arrays"), "is no .npy file"));
    CHECK(contains(refusal(""), "is no .npy file"));
}

TEST_CASE("npy: a damaged header is refused, and takes no memory") {
    const std::string known = "is damaged: its header";
    for (const char* const header :
         {"", "{", "{}", "[]", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': 4}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (4", "{'descr': '<f4, 'fortran_order': False, 'shape': (4,)}",
          "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} more"}) {
        CAPTURE(header);
        CHECK(contains(refusal_of_header(header), known));
    }
    CHECK(contains(refusal_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"), "no memory holds"));
    CHECK(contains(refusal_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"), "is cut short or damaged"));
    CHECK(contains(refusal("\x93NUMPY\2" + std::string("\0\xff\xff\xff\xff{", 6)), "is cut short"));
}

TEST_CASE("npy: a file that is cut or prolonged anywhere is refused") {
    const std::string whole = file_of(1, header_of_numpy, one_to_four);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        const std::string message = refusal(whole.substr(0, length));
        CHECK((contains(message, "is cut short") || (length < 6 && contains(message, "is no .npy file"))));
    }
    CHECK(refusal(whole.substr(0, 140)) == "is cut short or damaged: it has 140 bytes; expected 144 for shape (2, 2) of '<f4'");
    CHECK(contains(refusal(whole + "x"), "it has 145 bytes; expected 144"));
}

TEST_CASE("npy: what cannot be opened or written is named") {
    const temporary_folder folder;
    const auto missing = folder / "missing" / "a.npy";
    CHECK(contains(message_of<data_error>([&] { read_npy<float>(missing); }), "cannot be opened: No such file"));
    CHECK(contains(message_of<data_error>([&] { read_npy<float>(folder.path()); }), "cannot be read: Is a directory"));
    CHECK(contains(message_of<data_error>([&] { write_npy<float>(missing, std::vector<integer>{1}, std::vector<float>{1}); }),
                   missing.string() + ": cannot be created"));
    CHECK(contains(message_of<argument_error>([&] { write_npy<float>(folder / "a.npy", std::vector<integer>{2}, std::vector<float>{1}); }),
                   "npy: shape (2,) for 1 elements; expected 2"));
    for (const std::vector<integer>& none : {std::vector<integer>{-2, -3}, {integer{1} << 32, integer{1} << 32}, {-1}})
        CHECK(contains(message_of<argument_error>([&] { write_npy<float>(folder / "a.npy", none, std::vector<float>(6)); }),
                       "for 6 elements; expected extents"));
    CHECK_FALSE(std::filesystem::exists(folder / "a.npy"));
}
