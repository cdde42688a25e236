// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/primitives.hpp>
#include <bilevel/backend/thrust/window.hpp>

#include <doctest/doctest.h>
#include <fixtures/thrust.hpp>

#include <cstddef>
#include <new>
#include <vector>

using namespace bilevel;

namespace {

static_assert(backend::any<fixture::parallel_thrust<float>>);
static_assert(backend::any<fixture::sequential_thrust<double>>);

TEST_CASE("thrust: all tasks are one block, on one worker") {
    fixture::parallel_thrust<float> backend;
    CHECK(backend.workers() == 1);
    CHECK(&backend.worker(0) == &backend);
    for (const integer tasks : {1, 2, 7, 100}) CHECK(backend.tasks_per_block(tasks) == tasks);
    CHECK(backend.describe() == "thrust<float>, all tasks in one block");
    CHECK(fixture::sequential_thrust<double>().describe() == "thrust<double>, all tasks in one block");
}

TEST_CASE("thrust: an element of an image knows the window that it lies in, and the window knows the element") {
    constexpr integer batch = 3, channels = 2;
    for (const integer height : {2, 3, 4, 7})
        for (const integer width : {2, 5, 6}) {
            CAPTURE(height);
            CAPTURE(width);
            const view<const float> x{nullptr, 0, 1, batch, height * width * channels, {height, width, channels}};
            const integer h = height / 2, w = width / 2;
            const view<const float> y{nullptr, 0, 1, batch, h * w * channels, {h, w, channels}};
            std::vector<int> seen(std::size_t(batch * x.size));
            for (integer out = 0; out < batch * y.size; ++out) {
                const auto at = backend::on_device::window::of_output(out, y, x, true);
                REQUIRE(at.size == 4);
                for (integer k = 0; k < 4; ++k) {
                    const auto from = backend::on_device::source::of_input(at[k], y, x, true);
                    CHECK(from.output == out);
                    CHECK(from.position == k);
                    ++seen[std::size_t(at[k])];
                }
            }
            for (integer in = 0; in < batch * x.size; ++in)
                CHECK((backend::on_device::source::of_input(in, y, x, true).output >= 0) == (seen[std::size_t(in)] == 1));
        }
}

TEST_CASE("thrust: sums have the same bits for any number of threads, and lose no term between their blocks") {
    constexpr integer tasks = 2, channels = 3, length = fixture::parallel_thrust<float>::launcher_type::terms_of_a_block;
    for (const integer positions : {integer{0}, integer{1}, length - 1, length, length + 1, 5 * length + 7, (length + 1) * length + 3}) {
        CAPTURE(positions);
        std::vector<std::vector<float>> results;
        fixture::with_threads([&] {
            fixture::parallel_thrust<float> backend;
            std::vector<float> sums(std::size_t(tasks * channels), -1);
            backend.launcher().for_each_sum<float>(
                tasks, positions, channels, [](integer t, integer i, integer q) { return float(1 + t) * float(i % 8) + float(q); },
                [&](integer t, integer q, float sum) { sums[std::size_t(t * channels + q)] = sum; });
            results.push_back(sums);
        });
        for (const auto& sums : results) CHECK(sums == results[0]);
        for (integer t = 0; t < tasks; ++t)
            for (integer q = 0; q < channels; ++q) {
                double expected = 0;  // whole numbers, which float adds exactly
                for (integer i = 0; i < positions; ++i) expected += double(1 + t) * double(i % 8) + double(q);
                CHECK(double(results[0][std::size_t(t * channels + q)]) == expected);
            }
    }
}

TEST_CASE("thrust: where the launcher gets no memory, what it had is known to be gone") {
    fixture::sequential_thrust<float> backend;
    auto& launcher = backend.launcher();
    CHECK(launcher.scratch<float>(8) != nullptr);
    const integer before = launcher.scratch_growths();
    constexpr integer too_many = integer{1} << 58;
    CHECK_THROWS_AS(launcher.scratch<float>(too_many), std::bad_alloc);
    CHECK(launcher.scratch_growths() > before);
    CHECK(launcher.scratch<float>(8) != nullptr);
}

}  // namespace
