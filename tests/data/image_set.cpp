// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "../io/temporary_folder.hpp"

#include <bilevel/data/image_set.hpp>
#include <bilevel/data/rotations.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

using bilevel::argument_error;
using bilevel::data_error;
using bilevel::integer;
namespace data = bilevel::data;

namespace {

/// `count` images of height×width×channels whose pixels are numbered through.
template <class Pixel> xt::xtensor<Pixel, 4> counting(std::size_t count, std::size_t height, std::size_t width, std::size_t channels) {
    xt::xtensor<Pixel, 4> images(std::array<std::size_t, 4>{count, height, width, channels});
    for (std::size_t i = 0; i < images.size(); ++i) images.data()[i] = static_cast<Pixel>(i);
    return images;
}

}  // namespace

TEST_CASE("image set: classes are the labels that occur, ascending, with their images") {
    const std::vector<int> labels{7, -2, 7, 0};
    const auto set = data::image_set_from(counting<float>(4, 2, 3, 1), labels);
    REQUIRE(set.class_count() == 3);
    CHECK(set[0].name == "-2");
    CHECK(set[0].images == std::vector<integer>{1});
    CHECK(set[1].name == "0");
    CHECK(set[2].images == std::vector<integer>{0, 2});
    CHECK(set.image_count() == 4);
    CHECK(set.height() == 2);
    CHECK(set.width() == 3);
    CHECK(set.image_size() == 6);
    const auto named = data::image_set_from(counting<float>(2, 1, 1, 1), std::array<std::uint8_t, 2>{1, 0}, {"cat", "dog"});
    CHECK(named[0].name == "cat");
    CHECK(named[0].images == std::vector<integer>{1});
    CHECK(data::image_set<>().class_count() == 0);
}

TEST_CASE("image set: bytes become [0, 1], or what the conversion says") {
    std::array<double, 3> out{};
    xt::xtensor<std::uint8_t, 4> images(std::array<std::size_t, 4>{1, 1, 3, 1});
    images.data()[0] = 0;
    images.data()[1] = 51;
    images.data()[2] = 255;
    data::image_set_from(images, std::vector<int>{0}).gather(0, 0, out.data());
    CHECK(out[0] == 0);
    CHECK(out[1] == doctest::Approx(0.2).epsilon(1e-15));
    CHECK(out[2] == doctest::Approx(1.0).epsilon(1e-15));
    data::image_set_from(images, std::vector<int>{0}, {}, {2, -10}).gather(0, 0, out.data());
    CHECK(out == std::array<double, 3>{-10, 92, 500});
}

TEST_CASE("image set: quarter turns are counter-clockwise and keep channels together") {
    const auto set = data::image_set_from(counting<float>(2, 3, 3, 2), std::vector<int>{0, 0});
    // The second image is 18 19 | 20 21 | 22 23 / 24 … ; below, its positions 0 … 8 row by row.
    const std::array<std::array<int, 9>, 4> turned{
        {{0, 1, 2, 3, 4, 5, 6, 7, 8}, {2, 5, 8, 1, 4, 7, 0, 3, 6}, {8, 7, 6, 5, 4, 3, 2, 1, 0}, {6, 3, 0, 7, 4, 1, 8, 5, 2}}};
    for (int turns = 0; turns < 8; ++turns) {
        std::array<float, 18> out{};
        set.gather(1, turns, out.data());
        for (std::size_t p = 0; p < 9; ++p)
            for (std::size_t c = 0; c < 2; ++c)
                CHECK(out[2 * p + c] == static_cast<float>(18 + 2 * turned[static_cast<std::size_t>(turns % 4)][p] + static_cast<int>(c)));
    }
}

TEST_CASE("image set: rotations make new classes, or a mark, without copying pixels") {
    const auto set = data::image_set_from(counting<float>(3, 2, 2, 1), std::vector<int>{0, 1, 1});
    const auto four = data::rotated(set, data::rotations::classes);
    REQUIRE(four.class_count() == 8);
    CHECK(four.images().data() == set.images().data());
    for (integer k = 0; k < 4; ++k)
        for (integer c = 0; c < 2; ++c) {
            CHECK(four[2 * k + c].quarter_turns == k);
            CHECK(four[2 * k + c].images == set[c].images);
        }
    CHECK(four[1].name == "1");
    CHECK(four[3].name == "1/rot90");
    CHECK(four[7].name == "1/rot270");
    CHECK_FALSE(four.turns_in_episodes());
    CHECK(data::rotated(set, data::rotations::episode).turns_in_episodes());
    CHECK(data::rotated(set, data::rotations::none).class_count() == 2);

    const data::image_splits<float> splits{set, set, set};
    const auto training_only = data::rotated(splits, data::rotations::classes, false);
    CHECK(training_only.training.class_count() == 8);
    CHECK(training_only.validation.class_count() == 2);
    CHECK(training_only.test.class_count() == 2);
    CHECK(data::rotated(splits, data::rotations::classes, true).test.class_count() == 8);

    const auto oblong = data::image_set_from(counting<float>(1, 2, 3, 1), std::vector<int>{0});
    CHECK(contains(message_of<argument_error>([&] { (void)oblong.with_rotated_classes(); }), "2x3"));
    CHECK_THROWS_AS((void)oblong.with_turns_in_episodes(), argument_error);
}

TEST_CASE("image set: bad images and labels are named") {
    const auto images = counting<float>(3, 2, 2, 1);
    CHECK(message_of<data_error>([&] {
              data::image_set_from(images, std::vector<int>{0, 1});
          }) == "expected one label an image, found 3 images and 2 labels");
    CHECK(contains(message_of<data_error>([&] {
                       data::image_set_from(images, std::vector<int>{0, 1, 2}, {"a", "b"});
                   }),
                   "image 2: label 2 has no name"));
    CHECK(contains(message_of<data_error>([&] {
                       data::image_set_from(images, std::vector<int>{0, -1, 2}, {"a", "b", "c"});
                   }),
                   "image 1: label -1"));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        auto broken = counting<float>(3, 4, 5, 2);
        broken(2, 3, 1, 1) = bad;
        CHECK(contains(message_of<data_error>([&] {
                           data::image_set_from(broken, std::vector<int>{0, 1, 2});
                       }),
                       "image 2, row 3, column 1, channel 1: expected a finite pixel"));
    }
    const auto set = data::image_set_from(images, std::vector<int>{0, 1, 1});
    CHECK(contains(message_of<data_error>([&] { (void)set.with_classes({{"a", {0, 3}}}); }), "class a: image 3 of 3"));
    CHECK(contains(message_of<data_error>([&] { (void)set.with_classes({{"a", {-1}}}); }), "class a: image -1"));
    CHECK(contains(message_of<data_error>([&] { (void)set.with_classes({{"b", {}}}); }), "class b: expected at least one image"));
    CHECK(contains(message_of<data_error>([&] { (void)set.with_classes({{"c", {0}, -2}}); }), "class c: turned by -2 quarters"));
    CHECK(contains(message_of<data_error>([&] { (void)set.with_classes({{"c", {0}, 4}}); }), "class c: turned by 4 quarters"));
    const auto oblong = data::image_set_from(counting<float>(1, 2, 3, 1), std::vector<int>{0});
    CHECK(contains(message_of<data_error>([&] { (void)oblong.with_classes({{"d", {0}, 1}}); }), "class d: turned by 1 quarters"));
    CHECK(set.with_turns_in_episodes().with_classes({{"a", {0}, 3}}).turns_in_episodes());
}
