// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "../io/temporary_folder.hpp"

#include <bilevel/data/examples.hpp>
#include <bilevel/data/image_set.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

using bilevel::argument_error;
using bilevel::data_error;
using bilevel::data::image_examples;

TEST_CASE("examples: a user's images and labels become a view") {
    xt::xtensor<std::uint8_t, 4> images(std::array<std::size_t, 4>{2, 1, 2, 1});
    for (std::size_t i = 0; i < 4; ++i) images.data()[i] = static_cast<std::uint8_t>(51 * i);
    const image_examples<float> e(images, std::vector<long>{1, 0}, 3);
    const bilevel::examples_view<float, int> view = e;
    CHECK(view.count == 2);
    CHECK(view.input_size == 2);
    CHECK(view.image == std::array<bilevel::integer, 3>{1, 2, 1});
    CHECK(e.tasks() == 1);
    CHECK(e.ways() == 3);
    for (std::size_t i = 0; i < 4; ++i) CHECK(view.inputs[i] == doctest::Approx(0.2 * static_cast<double>(i)));
    CHECK(view.targets[0] == 1);
    CHECK(view.targets[1] == 0);
    CHECK(image_examples<float>(images, std::vector<int>{}, 3).view().targets == nullptr);
}

TEST_CASE("examples: several tasks at once, support beside query") {
    xt::xtensor<double, 5> images(std::array<std::size_t, 5>{2, 3, 2, 2, 1});
    for (std::size_t i = 0; i < images.size(); ++i) images.data()[i] = static_cast<double>(i);
    xt::xtensor<int, 2> labels(std::array<std::size_t, 2>{2, 3});
    for (std::size_t i = 0; i < 6; ++i) labels.data()[i] = static_cast<int>(i % 2);
    const image_examples<double> support(images, labels, 2), query(images, std::vector<int>(6, 1), 2);
    CHECK(support.view().count == 3);
    const auto episodes = bilevel::data::episodes_of(support, query);
    CHECK(episodes.tasks == 2);
    CHECK(episodes.outputs == 2);
    CHECK(episodes.support.inputs[23] == 23);
    CHECK(episodes.support.targets[5] == 1);
    CHECK(episodes.query.targets[0] == 1);
    CHECK(episodes.classes == nullptr);
    const image_examples<double> other(images, labels, 3);
    CHECK(
        contains(message_of<argument_error>([&] { (void)bilevel::data::episodes_of(support, other); }), "2 tasks of 2 ways, query 2 of 3"));
}

TEST_CASE("examples: bad labels and pixels are named") {
    xt::xtensor<float, 4> images(std::array<std::size_t, 4>{3, 2, 2, 1});
    for (float& p : images) p = 0;
    using examples = image_examples<float>;
    CHECK(contains(message_of<data_error>([&] { examples(images, std::vector<int>{0, 1}, 2); }), "found 3 images and 2 labels"));
    CHECK(contains(message_of<data_error>([&] {
                       examples(images, std::vector<int>{0, 2, 1}, 2);
                   }),
                   "image 1: expected a label of 0 to 1, found 2"));
    CHECK(contains(message_of<data_error>([&] {
                       examples(images, std::vector<int>{0, 1, -1}, 2);
                   }),
                   "image 2: expected a label of 0 to 1, found -1"));
    CHECK_THROWS_AS(examples(images, std::vector<int>{0, 0, 0}, 0), argument_error);
    images(1, 0, 1, 0) = std::numeric_limits<float>::quiet_NaN();
    CHECK(contains(message_of<data_error>([&] { examples(images, std::vector<int>{0, 1, 1}, 2); }), "image 1, row 0, column 1, channel 0"));
}

TEST_CASE("examples: what a conversion makes infinite is named") {
    const xt::xtensor<double, 4> images(std::array<std::size_t, 4>{1, 1, 1, 1}, 1e300);
    CHECK(image_examples<double>(images, std::vector<int>{}, 2).view().inputs[0] == 1e300);
    CHECK(contains(message_of<data_error>([&] { (void)image_examples<float>(images, std::vector<int>{}, 2); }),
                   "expected a finite pixel, found inf"));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(contains(message_of<argument_error>([&] { (void)image_examples<double>(images, std::vector<int>{}, 2, {.scale = nan}); }),
                   "scale"));
    CHECK(
        contains(message_of<argument_error>([&] { (void)bilevel::data::image_set_from(images, std::vector<int>{0}, {}, {.offset = nan}); }),
                 "offset"));
}
