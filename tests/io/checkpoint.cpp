// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "temporary_folder.hpp"

#include <bilevel/io/checkpoint.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

using bilevel::argument_error;
using bilevel::checkpoint_error;
using bilevel::io::checkpoint_reader;
using bilevel::io::checkpoint_writer;

namespace {

checkpoint_writer example() {
    checkpoint_writer w;
    w.add("x", std::vector<float>{1.5f, -0.0f, std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::infinity()});
    w.add("moments", std::vector<double>{0.1, -1e300});
    w.add("counters", std::array<std::int64_t, 3>{-1, 0, std::numeric_limits<std::int64_t>::min()});
    w.add("seed", std::uint64_t{0xfedcba9876543210});
    w.add("settings", "ways = 5\nKäse");
    w.add("nothing", std::vector<float>{});
    return w;
}

std::string refusal(const std::filesystem::path& file, std::string_view bytes) {
    write_file(file, bytes);
    return message_of<checkpoint_error>([&] { checkpoint_reader{file}; });
}

}  // namespace

TEST_CASE("checkpoint: everything comes back, to the last bit") {
    const temporary_folder folder;
    example().write(folder / "a");
    const checkpoint_reader r(folder / "a");
    const auto x = r.values<float>("x");
    REQUIRE(x.size() == 4);
    CHECK(x[0] == 1.5f);
    CHECK(std::signbit(x[1]));
    CHECK(x[2] == std::numeric_limits<float>::denorm_min());
    CHECK(std::isinf(x[3]));
    CHECK(r.values<double>("moments") == std::vector<double>{0.1, -1e300});
    CHECK(r.values<std::int64_t>("counters") == std::vector<std::int64_t>{-1, 0, std::numeric_limits<std::int64_t>::min()});
    CHECK(r.value<std::uint64_t>("seed") == 0xfedcba9876543210);
    CHECK(r.text("settings") == "ways = 5\nKäse");
    CHECK(r.values<float>("nothing").empty());
    CHECK(r.has("x"));
    CHECK_FALSE(r.has("y"));
    CHECK(r.count("counters") == 3);
    CHECK(r.file() == (folder / "a").string());
}

TEST_CASE("checkpoint: the same content is the same file, and the layout is the documented one") {
    CHECK(example().bytes() == example().bytes());
    checkpoint_writer w;
    w.add("n", std::uint64_t{0x0102030405060708});
    const std::string bytes = w.bytes();
    const std::string expected(
        "bilevel\n"                          // magic
        "\x01\0\0\0"                          // format
        "\x01\0\0\0"                          // sections
        "\x39\0\0\0\0\0\0\0"                  // size of the file: 24 + 25 + 8
        "\x01\0\0\0n\x04\0\0\0"               // name, kind
        "\x01\0\0\0\0\0\0\0"                  // count
        "\x08\x07\x06\x05\x04\x03\x02\x01",  // the number
        49);
    CHECK(bytes.size() == 57);
    CHECK(bytes.substr(0, 49) == expected);
    CHECK(bilevel::io::detail::hash("") == 0xcbf29ce484222325);  // FNV's published values
    CHECK(bilevel::io::detail::hash("foobar") == 0x85944171f73967e8);
}

TEST_CASE("checkpoint: a file that is cut anywhere is refused") {
    const temporary_folder folder;
    const std::string whole = example().bytes(), name = (folder / "a").string();
    for (std::size_t n = 0; n < whole.size(); ++n) {
        const std::string message = refusal(folder / "a", whole.substr(0, n));
        CHECK_MESSAGE(message.starts_with(name + ": is "), n << " bytes: " << message);
    }
    CHECK(contains(refusal(folder / "a", whole.substr(0, 60)), "it has 60 bytes; expected " + std::to_string(whole.size())));
    CHECK(contains(refusal(folder / "a", whole + "x"), "cut short or damaged"));
}

TEST_CASE("checkpoint: a file with any one bit flipped is refused") {
    const temporary_folder folder;
    const std::string whole = example().bytes(), name = (folder / "a").string();
    for (std::size_t n = 0; n < whole.size(); ++n)
        for (const int bit : {0, 3, 7}) {
            std::string flipped = whole;
            flipped[n] = static_cast<char>(flipped[n] ^ (1 << bit));
            const std::string message = refusal(folder / "a", flipped);
            CHECK_MESSAGE(message.starts_with(name + ": "), "byte " << n << ": " << message);
        }
}

TEST_CASE("checkpoint: a foreign, a missing and a later file are told apart") {
    const temporary_folder folder;
    CHECK(contains(refusal(folder / "a", "some text, and rather more of it than a header has"), "is no checkpoint of bilevel"));
    CHECK(contains(refusal(folder / "empty", ""), "is no checkpoint of bilevel"));
    CHECK(
        contains(message_of<checkpoint_error>([&] { checkpoint_reader{folder / "missing"}; }), "missing: cannot be opened: No such file"));
    CHECK(contains(message_of<checkpoint_error>([&] { checkpoint_reader{folder.path()}; }), folder.path().string() + ": "));
    std::string later = example().bytes();
    later[8] = 2;
    CHECK(contains(refusal(folder / "b", later), "has checkpoint format 2; expected 1"));
}

TEST_CASE("checkpoint: lengths that lie are refused even under a right check sum") {
    const temporary_folder folder;
    const std::string whole = example().bytes();
    const std::size_t name_length = 24, count = 24 + 4 + 1 + 4;
    for (const std::size_t at : {name_length, count, count + 3, count + 7, std::size_t{12}}) {
        std::string lying = whole.substr(0, whole.size() - 8);
        lying[at] = static_cast<char>(0xff);
        bilevel::io::detail::put(lying, bilevel::io::detail::hash(lying));
        CHECK_MESSAGE(contains(refusal(folder / "a", lying), "is damaged"), "byte " << at);
    }
}

TEST_CASE("checkpoint: what a section is asked for must be what it holds") {
    const temporary_folder folder;
    example().write(folder / "a");
    const checkpoint_reader r(folder / "a");
    CHECK(contains(message_of<checkpoint_error>([&] { (void)r.values<float>("y"); }), "has no section 'y'"));
    CHECK(contains(message_of<checkpoint_error>([&] { (void)r.values<double>("x"); }), "section 'x' holds float; expected double"));
    CHECK(contains(message_of<checkpoint_error>([&] { (void)r.text("seed"); }), "section 'seed' holds uint64; expected text"));
    std::array<float, 5> five{};
    CHECK(contains(message_of<checkpoint_error>([&] { r.read("x", std::span<float>(five)); }), "section 'x' has 4 elements; expected 5"));
    checkpoint_writer twice;
    twice.add("x", 1.0);
    CHECK_THROWS_AS(twice.add("x", 2.0), argument_error);
}

TEST_CASE("checkpoint: a failed write keeps the old file") {
    const temporary_folder folder;
    const auto missing = folder / "missing" / "a";
    CHECK(message_of<checkpoint_error>([&] { example().write(missing); }).starts_with(missing.string() + ": cannot be created"));
    CHECK_FALSE(std::filesystem::exists(folder / "missing"));
}
