// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/data/batches_ahead.hpp>
#include <bilevel/data/episode_sampler.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "numbered_images.hpp"

using namespace bilevel;

namespace {
bool same(const episodes_view<float, int>& a, const episodes_view<float, int>& b, integer image) {
    const auto equal = [](const auto* x, const auto* y, integer count) { return std::equal(x, x + count, y); };
    const integer support = a.tasks * a.support.count, query = a.tasks * a.query.count;
    return a.tasks == b.tasks && equal(a.support.inputs, b.support.inputs, support * image) &&
           equal(a.support.targets, b.support.targets, support) && equal(a.query.inputs, b.query.inputs, query * image) &&
           equal(a.query.targets, b.query.targets, query) && equal(a.classes, b.classes, a.tasks * a.outputs);
}

/// Counts what it draws, slowly; the third batch fails.
struct failing_sampler {
    std::atomic<int>* drawn;
    integer batch(integer i, integer tasks) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ++*drawn;
        if (i == 3) throw std::runtime_error("batch 3");
        return i * tasks;
    }
};
}  // namespace

TEST_CASE("batches ahead are those of the sampler, in any order") {
    auto sampler = data::episodes(numbered_images(12, 6), {.ways = 4, .shots = 1, .queries = 2});
    data::batches_ahead ahead(sampler, 3);
    for (const integer i : {0, 1, 2, 3, 7, 7, 2, 3, 4, 0}) {
        CAPTURE(i);
        const auto here = ahead.batch(i);
        std::this_thread::sleep_for(std::chrono::milliseconds(i % 2));  // the next one is drawn, and must not lie here
        CHECK(same(here, sampler.batch(i, 3), sampler.set().image_size()));
    }
}

TEST_CASE("batches ahead are handed out as they were placed, one of two places in turn") {
    auto sampler = data::episodes(numbered_images(12, 6), {.ways = 4, .shots = 1, .queries = 2});
    const integer tasks = 3, size = sampler.set().image_size();
    std::vector<float> copies[2][2];
    const float* places[2];  // of the query images
    for (const int which : {0, 1}) {
        copies[which][0].resize(std::size_t(tasks * 4 * size));
        copies[which][1].resize(std::size_t(tasks * 8 * size));
        places[which] = copies[which][1].data();
    }
    const auto place = [&](int which, episodes_view<float, int> batch) {
        for (auto* set : {&batch.support, &batch.query}) {
            auto& copy = copies[which][set == &batch.query];
            std::copy(set->inputs, set->inputs + tasks * set->count * size, copy.begin());
            set->inputs = copy.data();
        }
        return batch;
    };
    data::batches_ahead ahead(sampler, tasks, place);
    const float* before = nullptr;
    for (const integer i : {0, 1, 2, 3, 7, 8}) {
        CAPTURE(i);
        const auto here = ahead.batch(i);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the next one is drawn, and must not lie here
        CHECK(same(here, sampler.batch(i, tasks), size));
        CHECK((here.query.inputs == places[0] || here.query.inputs == places[1]));
        if (i > 0 && i != 7) CHECK(here.query.inputs != before);
        before = here.query.inputs;
    }
}

TEST_CASE("what drawing a batch throws is thrown where that batch is asked for, and the next one is there") {
    std::atomic<int> drawn = 0;
    {
        data::batches_ahead ahead(failing_sampler{&drawn}, 2);
        CHECK(ahead.batch(2) == 4);
        CHECK_THROWS_WITH_AS(ahead.batch(3), "batch 3", std::runtime_error);
        CHECK(ahead.batch(4) == 8);
        CHECK(ahead.batch(5) == 10);
    }
    CHECK(drawn == 5);  // 2, 3, 4, 5 and 6: its end waits for the last
}
