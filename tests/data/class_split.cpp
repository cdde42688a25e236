// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "../io/temporary_folder.hpp"

#include <bilevel/data/class_split.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using bilevel::argument_error;
using bilevel::data_error;
using bilevel::integer;
namespace data = bilevel::data;

namespace {

std::vector<std::string> some_names(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back("class" + std::to_string(1000 + i));
    return names;
}

std::set<std::string> named(const std::vector<integer>& part, const std::vector<std::string>& names) {
    std::set<std::string> result;
    for (const integer i : part) result.insert(names[static_cast<std::size_t>(i)]);
    return result;
}

}  // namespace

TEST_CASE("random split: a partition of the right sizes that only names and seed decide") {
    auto names = some_names(50);
    const data::random_split asked{.training_classes = 30, .validation_classes = 5, .seed = 3};
    const auto split = data::split_classes(names, asked);
    CHECK(split.training.size() == 30);
    CHECK(split.validation.size() == 5);
    CHECK(split.test.size() == 15);
    std::set<integer> all(split.training.begin(), split.training.end());
    all.insert(split.validation.begin(), split.validation.end());
    all.insert(split.test.begin(), split.test.end());
    CHECK(all.size() == 50);

    auto reversed = names;
    std::reverse(reversed.begin(), reversed.end());  // as another file system may list them
    const auto again = data::split_classes(reversed, asked);
    CHECK(named(split.training, names) == named(again.training, reversed));
    CHECK(named(split.test, names) == named(again.test, reversed));
    CHECK(split.training != data::split_classes(names, {.training_classes = 30, .validation_classes = 5, .seed = 4}).training);
    CHECK(split.training.front() + 29 != split.training.back());  // it is not simply the first thirty
    CHECK(data::split_classes(names, {.training_classes = 50, .validation_classes = 0}).test.empty());
}

TEST_CASE("random split: too many classes, or fewer than none") {
    CHECK(contains(
        message_of<data_error>([] { (void)data::split_classes(some_names(10), {.training_classes = 8, .validation_classes = 3}); }),
        "expected 8 training and 3 validation classes, found 10"));
    CHECK_THROWS_AS((void)data::split_classes(some_names(10), {.training_classes = -1}), argument_error);
    CHECK_THROWS_AS((void)data::split_classes(some_names(10), {.training_classes = 1, .validation_classes = -1}), argument_error);
}

TEST_CASE("list split: reads the three lists") {
    const temporary_folder folder;
    write_file(folder / "train.txt", "c\r\na\n\n");
    write_file(folder / "val.txt", "b  \n");
    write_file(folder / "test.txt", "e");
    const std::vector<std::string> names{"a", "b", "c", "d", "e"};
    const auto split = data::split_classes(names, data::list_split{folder.path()});
    CHECK(split.training == std::vector<integer>{0, 2});
    CHECK(split.validation == std::vector<integer>{1});
    CHECK(split.test == std::vector<integer>{4});
}

TEST_CASE("list split: a missing or empty list, an unknown class and a class listed twice are named with their line") {
    const temporary_folder folder;
    const std::vector<std::string> names{"a", "b", "c"};
    const auto refusal = [&] { return message_of<data_error>([&] { (void)data::split_classes(names, data::list_split{folder.path()}); }); };
    CHECK(refusal().starts_with((folder / "train.txt").string() + ": cannot be opened"));
    write_file(folder / "train.txt", "a\n");
    write_file(folder / "val.txt", "\n");
    CHECK(refusal().starts_with((folder / "val.txt").string() + ": expected a list of classes"));
    write_file(folder / "val.txt", "b\nx\n");
    CHECK(refusal() == (folder / "val.txt").string() + ":2: class x is not in the data set");
    write_file(folder / "val.txt", "b\n");
    write_file(folder / "test.txt", "c\na\n");
    CHECK(refusal() == (folder / "test.txt").string() + ":2: class a was listed before, at " + (folder / "train.txt").string() + ":1");
}
