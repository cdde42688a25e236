// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/data/resident_episodes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "numbered_images.hpp"

using namespace bilevel;

namespace {
/// Bytes of which no two images, and no two turns of one, are alike.
data::image_set<std::uint8_t> set_of_bytes(std::size_t classes, std::size_t images, std::size_t side, std::size_t channels) {
    xt::xtensor<std::uint8_t, 4> pixels(std::array<std::size_t, 4>{classes * images, side, side, channels});
    std::vector<int> labels;
    std::uint32_t number = 1;
    for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels.data()[i] = static_cast<std::uint8_t>((number = number * 1664525 + 1013904223) >> 24);
    for (std::size_t i = 0; i < classes * images; ++i) labels.push_back(static_cast<int>(i / images));
    return data::image_set_from(pixels, labels);
}

template <class Backend, class Pixel> void check(data::image_set<Pixel> set, const data::episode_settings& settings) {
    using scalar = typename Backend::scalar;
    Backend on;
    data::episode_sampler<scalar, Pixel> sampler(set, settings);
    data::resident_episodes resident(on.worker(0), sampler);
    for (const integer i : {0, 5, 1})
        for (const integer tasks : {3, 1, 4}) {
            const auto expected = sampler.batch(i, tasks), found = resident.batch(i, tasks);
            CHECK(found.tasks == tasks);
            CHECK(found.outputs == expected.outputs);
            CHECK(found.support.count == expected.support.count);
            CHECK(found.query.count == expected.query.count);
            const auto same = [](const auto* a, const auto* b, integer count) { return std::equal(a, a + count, b); };
            const integer support = tasks * expected.support.count, query = tasks * expected.query.count, size = set.image_size();
            CHECK(same(found.support.inputs, expected.support.inputs, support * size));
            CHECK(same(found.query.inputs, expected.query.inputs, query * size));
            CHECK(same(found.support.targets, expected.support.targets, support));
            CHECK(same(found.query.targets, expected.query.targets, query));
            CHECK(same(found.classes, expected.classes, tasks * expected.outputs));
        }
}
}  // namespace

TEST_CASE_TEMPLATE("resident episodes are those of the sampler", Backend, backend::reference<float>, backend::cpu<float>,
                   backend::cpu<double>) {
    const data::episode_settings settings{.ways = 4, .shots = 2, .queries = 3};
    check<Backend>(set_of_bytes(9, 6, 5, 3), settings);
    check<Backend>(set_of_bytes(7, 5, 4, 1).with_rotated_classes(), settings);
    check<Backend>(set_of_bytes(7, 5, 5, 2).with_turns_in_episodes(), settings);
    check<Backend>(numbered_images(6, 5), settings);
    check<Backend>(set_of_bytes(5, 3, 4, 1), {.ways = 3, .shots = 1, .queries = 0});
}

TEST_CASE("resident episodes refuse what a sampler refuses") {
    backend::cpu<float> on;
    data::resident_episodes resident(on.worker(0), data::episodes(set_of_bytes(5, 3, 4, 1), {.ways = 3}));
    CHECK_THROWS_AS(resident.batch(-1, 2), argument_error);
    CHECK_THROWS_AS(resident.batch(0, 0), argument_error);
}
