// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "temporary_folder.hpp"

#include <bilevel/io/json.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using bilevel::io::json;

TEST_CASE("json: numbers are the shortest that read back the same") {
    CHECK(json(0.1).text() == "0.1");
    CHECK(json(0.4f).text() == "0.4");
    CHECK(json(1.0 / 3).text() == "0.3333333333333333");
    CHECK(std::stod(json(0.1 + 0.2).text()) == 0.1 + 0.2);
    CHECK(json(1e300).text() == "1e+300");
    CHECK(json(-5).text() == "-5");
    CHECK(json(std::numeric_limits<std::uint64_t>::max()).text() == "18446744073709551615");
    CHECK(json(true).text() == "true");
    CHECK(json().text() == "null");
    CHECK(json(std::numeric_limits<double>::quiet_NaN()).text() == "null");
    CHECK(json(-std::numeric_limits<float>::infinity()).text() == "null");
}

TEST_CASE("json: what is neither a number nor a string is no value") {
    CHECK(json(true).text() == "true");
    static_assert(!std::is_constructible_v<json, char> && !std::is_constructible_v<json, int*>);
}

TEST_CASE("json: strings are escaped, and always UTF-8") {
    CHECK(json("a\"b\\c\n\t\x01").text() == "\"a\\\"b\\\\c\\n\\u0009\\u0001\"");
    CHECK(json(std::string("nul\0", 4)).text() == "\"nul\\u0000\"");
    CHECK(json("Käse €𝄞").text() == "\"Käse €𝄞\"");
    CHECK(json("\xff|\xc3|\xc0\x80|\xed\xa0\x80|\xf4\x90\x80\x80").text() ==
          "\"\\ufffd|\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

TEST_CASE("json: objects keep their order, and nest") {
    json object = json::object();
    object.set("z", 1)
        .set("a", json::object().set("ways", 5))
        .set("list", json::array(std::vector<double>{0.5, 2}))
        .set("empty", json::object());
    object.set("z", "again").set("curve", json::array().push(json::object().set("i", 1)).push(json::array()));
    CHECK(object.text() ==
          "{\n  \"z\": \"again\",\n  \"a\": {\n    \"ways\": 5\n  },\n  \"list\": [0.5, 2],\n  \"empty\": {},\n"
          "  \"curve\": [\n    {\n      \"i\": 1\n    },\n    []\n  ]\n}");
    CHECK_THROWS_AS(json::array().set("a", 1), bilevel::argument_error);
    CHECK_THROWS_AS(json(1).push(1), bilevel::argument_error);
    CHECK_THROWS_AS(json::object().push(1), bilevel::argument_error);
}

TEST_CASE("json: is written whole or not at all") {
    const temporary_folder folder;
    json::object().set("a", 1).write(folder / "a.json");
    CHECK(read_file(folder / "a.json") == "{\n  \"a\": 1\n}\n");
    CHECK_THROWS_AS(json().write(folder / "missing" / "a.json"), bilevel::data_error);
}
