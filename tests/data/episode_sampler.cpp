// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "../io/temporary_folder.hpp"
#include "numbered_images.hpp"

#include <bilevel/data/episode_sampler.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

using bilevel::argument_error;
using bilevel::data_error;
using bilevel::integer;
using bilevel::random::purpose;
namespace data = bilevel::data;

namespace {

struct copy {
    std::vector<float> support, query;
    std::vector<int> support_labels, query_labels, classes;
    bool operator==(const copy&) const = default;
};

copy copied(const bilevel::episodes_view<float, int>& e, integer image_size) {
    const auto s = e.tasks * e.support.count, q = e.tasks * e.query.count;
    return {{e.support.inputs, e.support.inputs + s * image_size},
            {e.query.inputs, e.query.inputs + q * image_size},
            {e.support.targets, e.support.targets + s},
            {e.query.targets, e.query.targets + q},
            {e.classes, e.classes + e.tasks * e.outputs}};
}

}  // namespace

TEST_CASE("episodes: those of a seed are the same in every version, so that published figures can be repeated") {
    auto sampler = data::episodes(numbered_images(12, 9), {.ways = 4, .shots = 1, .queries = 2, .seed = 7});
    const auto e = copied(sampler.batch(3, 1), 4);
    CHECK(e.classes == std::vector<int>{3, 6, 4, 1});
    const auto second_pixels = [](const std::vector<float>& images) {
        std::vector<float> result;
        for (std::size_t i = 1; i < images.size(); i += 4) result.push_back(images[i]);
        return result;
    };
    CHECK(second_pixels(e.support) == std::vector<float>{308, 601, 404, 102});
    CHECK(second_pixels(e.query) == std::vector<float>{302, 306, 600, 606, 406, 401, 107, 104});
}

TEST_CASE("episodes: a list that no stream of 32 bits draws is refused") {
    CHECK_THROWS_AS(data::episodes(numbered_images(4, 3), {.ways = 2, .purpose = static_cast<purpose>(std::uint64_t{1} << 32)}),
                    argument_error);
}

TEST_CASE("episodes: every image is of its label's class, and support and query are disjoint") {
    auto sampler = data::episodes(numbered_images(12, 7), {.ways = 4, .shots = 2, .queries = 3});
    const auto e = sampler.batch(3, 50);
    CHECK(e.tasks == 50);
    CHECK(e.outputs == 4);
    REQUIRE(e.support.count == 8);
    REQUIRE(e.query.count == 12);
    for (integer t = 0; t < e.tasks; ++t) {
        std::set<float> images;
        std::set<int> classes(e.classes + t * 4, e.classes + t * 4 + 4);
        CHECK(classes.size() == 4);
        std::array<int, 4> shots{}, queries{};
        for (const auto& [part, counts] : {std::pair{&e.support, &shots}, std::pair{&e.query, &queries}})
            for (integer k = 0; k < part->count; ++k) {
                const int label = part->targets[t * part->count + k];
                const float value = part->inputs[(t * part->count + k) * 4 + 1];
                REQUIRE(label >= 0);
                REQUIRE(label < 4);
                ++(*counts)[static_cast<std::size_t>(label)];
                CHECK(static_cast<int>(value) / 100 == e.classes[t * 4 + label]);
                images.insert(value);
            }
        CHECK(images.size() == 20);  // no image twice, in support and query together
        CHECK(shots == std::array<int, 4>{2, 2, 2, 2});
        CHECK(queries == std::array<int, 4>{3, 3, 3, 3});
    }
}

TEST_CASE("episodes: an episode is a function of its number alone") {
    const auto set = numbered_images(12, 7);
    const data::episode_settings settings{.ways = 4, .shots = 1, .queries = 2};
    auto forward = data::episodes(set, settings), backward = data::episodes(set, settings), single = data::episodes(set, settings);
    std::vector<copy> batches;
    for (integer i = 0; i < 6; ++i) batches.push_back(copied(forward.batch(i, 5), 4));
    for (integer i = 5; i >= 0; --i) {
        (void)backward.batch(i + 100, 9);
        CHECK(copied(backward.batch(i, 5), 4) == batches[static_cast<std::size_t>(i)]);
        CHECK(copied(backward.episodes(5 * i, 5), 4) == batches[static_cast<std::size_t>(i)]);
    }
    const auto whole = copied(forward.batch(1, 8), 4);
    for (integer t = 0; t < 8; ++t) {
        const auto one = copied(single.batch(8 + t, 1), 4);
        CHECK(one.query == std::vector<float>(whole.query.begin() + t * 32, whole.query.begin() + (t + 1) * 32));
        CHECK(one.classes == std::vector<int>(whole.classes.begin() + t * 4, whole.classes.begin() + (t + 1) * 4));
    }
}

TEST_CASE("episodes: seeds and purposes give other episodes, another scalar the same") {
    const auto set = numbered_images(12, 7);
    const auto first = [&](std::uint64_t seed, purpose why) {
        auto sampler = data::episodes(set, {.seed = seed, .purpose = why});
        return copied(sampler.batch(0, 8), 4);
    };
    CHECK(first(7, purpose::training_episodes) == first(7, purpose::training_episodes));
    CHECK_FALSE(first(7, purpose::training_episodes) == first(8, purpose::training_episodes));
    CHECK_FALSE(first(7, purpose::training_episodes) == first(7, purpose::test_episodes));
    auto in_double = data::episodes<double>(set, {});
    const auto e = in_double.batch(0, 8);
    const auto expected = first(7, purpose::training_episodes);
    for (std::size_t i = 0; i < expected.support.size(); ++i) CHECK(e.support.inputs[i] == static_cast<double>(expected.support[i]));
}

TEST_CASE("episodes: classes, labels and images are all equally likely") {
    auto sampler = data::episodes(numbered_images(6, 4), {.ways = 3, .shots = 1, .queries = 1});
    const integer n = 6000;
    const auto e = sampler.batch(0, n);
    std::array<std::array<double, 6>, 3> by_label{};
    std::array<double, 4> by_image{};
    for (integer t = 0; t < n; ++t)
        for (integer w = 0; w < 3; ++w) {
            ++by_label[static_cast<std::size_t>(w)][static_cast<std::size_t>(e.classes[3 * t + w])];
            ++by_image[static_cast<std::size_t>(e.support.inputs[(3 * t + w) * 4 + 1]) % 100];
        }
    // Counts are binomial: five standard deviations.
    for (const auto& counts : by_label)
        for (const double c : counts) CHECK(std::abs(c - 1000) < 5 * std::sqrt(6000.0 / 6 * 5 / 6));
    for (const double c : by_image) CHECK(std::abs(c - 4500) < 5 * std::sqrt(18000.0 / 4 * 3 / 4));
}

TEST_CASE("episodes: rotated classes come turned, and random turns are one a class and episode") {
    const auto position = [](const float* image) {  // of the negative pixel, which is at 0 when not turned
        for (int p = 0; p < 4; ++p)
            if (image[p] < 0) return p;
        return 0;  // image 0 of class 0 is all zero
    };
    const std::array<int, 4> corner{0, 2, 3, 1};  // where a top left pixel goes by so many counter-clockwise quarter turns
    auto turned = data::episodes(numbered_images(3, 4).with_rotated_classes(), {.ways = 5, .shots = 2, .queries = 1});
    auto e = turned.batch(0, 50);
    for (integer k = 0; k < 50 * 10; ++k) {
        const float* image = e.support.inputs + 4 * k;
        const int id = e.classes[k / 10 * 5 + e.support.targets[k]];
        CHECK(id < 12);
        if (image[1] != 0) CHECK(position(image) == corner[static_cast<std::size_t>(id / 3)]);
        CHECK(static_cast<int>(std::abs(image[1])) / 100 == id % 3);
    }

    auto random = data::episodes(numbered_images(8, 4).with_turns_in_episodes(), {.ways = 5, .shots = 1, .queries = 3});
    e = random.batch(0, 400);
    std::array<double, 4> turns{};
    for (integer t = 0; t < 400; ++t)
        for (integer k = 0; k < 15; ++k) {
            const int label = e.query.targets[15 * t + k];
            if (e.classes[5 * t + label] == 0) continue;
            const int at = position(e.query.inputs + 4 * (15 * t + k));
            CHECK(at == position(e.support.inputs + 4 * (5 * t + label)));
            if (k % 3 == 0) ++turns[static_cast<std::size_t>(at)];
        }
    for (const double count : turns) CHECK(std::abs(count - 437.5) < 5 * std::sqrt(1750.0 / 4 * 3 / 4));  // 400 · 5 · 7/8 draws
}

TEST_CASE("episodes: memory of a size is taken once") {
    auto sampler = data::episodes(numbered_images(8, 4), {});
    const auto first = sampler.batch(0, 6);
    (void)sampler.batch(1, 2);
    const auto last = sampler.batch(2, 6);
    CHECK(first == last);  // the same places
    CHECK(reinterpret_cast<std::uintptr_t>(last.support.inputs) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(last.query.inputs) % 64 == 0);
}

TEST_CASE("episodes: without queries, and with all of a class") {
    auto sampler = data::episodes(numbered_images(2, 3), {.ways = 2, .shots = 3, .queries = 0});
    const auto e = sampler.batch(0, 2);
    CHECK(e.support.count == 6);
    CHECK(e.query.count == 0);
}

TEST_CASE("episodes: what cannot be sampled is said with both numbers") {
    const auto set = numbered_images(4, 3);
    const auto refusal = [&]<class Error>(Error*, const data::episode_settings& s) {
        return message_of<Error>([&] { (void)data::episodes(set, s); });
    };
    constexpr argument_error* argument = nullptr;
    constexpr data_error* bad_data = nullptr;
    CHECK(refusal(argument, {.ways = 1}) == "ways: expected at least 2, found 1");
    CHECK(refusal(argument, {.ways = 2, .shots = 0}) == "shots: expected at least 1, found 0");
    CHECK(refusal(argument, {.ways = 2, .queries = -1}) == "queries: expected at least 0, found -1");
    CHECK(refusal(bad_data, {.ways = 5}) == "an episode of 5 ways needs as many classes; the set has 4");
    CHECK(refusal(bad_data, {.ways = 2, .shots = 2, .queries = 2}) == "class 0: 2 shots and 2 queries need 4 images, it has 3");
    constexpr integer most = std::numeric_limits<integer>::max();
    CHECK(contains(refusal(bad_data, {.ways = 2, .shots = most, .queries = 1}), "class 0"));
    CHECK(contains(refusal(bad_data, {.ways = 2, .shots = 1, .queries = most}), "class 0"));
    auto sampler = data::episodes(set, {.ways = 2});
    CHECK_THROWS_AS((void)sampler.batch(integer{1} << 59, 32), argument_error);
    CHECK_THROWS_AS((void)sampler.episodes(most, 1), argument_error);
    CHECK_THROWS_AS((void)sampler.batch(-1, 1), argument_error);
    CHECK_THROWS_AS((void)sampler.batch(0, 0), argument_error);
    CHECK_THROWS_AS((void)sampler.episodes(-1, 1), argument_error);
}
