// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/core/random.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace bilevel;

namespace {

/// Blocks take different times, the early ones the longest, so that an order that is not enforced is not met by chance.
void dawdle(integer block, integer blocks) { std::this_thread::sleep_for(std::chrono::microseconds(200 * (blocks - block))); }

TEST_CASE("for_each_block: every block once, on its worker, merged by the same worker in order") {
    for (const integer threads : {1, 2, 4, 5})
        for (const integer blocks : {0, 1, 2, 3, 5, 11}) {
            CAPTURE(threads);
            CAPTURE(blocks);
            backend::cpu<float> backend{{.threads = threads}};
            std::vector<std::thread::id> ran_on(static_cast<std::size_t>(blocks));
            std::vector<integer> workers(static_cast<std::size_t>(blocks), -1), merged;
            std::atomic<int> wrong_thread = 0;
            backend.for_each_block(
                blocks,
                [&](integer block, integer worker) {
                    dawdle(block, blocks);
                    ran_on[static_cast<std::size_t>(block)] = std::this_thread::get_id();
                    workers[static_cast<std::size_t>(block)] = worker;
                },
                [&](integer block, integer worker) {
                    merged.push_back(block);
                    if (worker != workers[static_cast<std::size_t>(block)] ||
                        ran_on[static_cast<std::size_t>(block)] != std::this_thread::get_id())
                        ++wrong_thread;
                });
            CHECK(wrong_thread == 0);
            REQUIRE(merged.size() == static_cast<std::size_t>(blocks));
            for (integer b = 0; b < blocks; ++b) {
                CHECK(merged[static_cast<std::size_t>(b)] == b);
                CHECK(workers[static_cast<std::size_t>(b)] == b % threads);
            }
            if (blocks > 0) CHECK(ran_on[0] == std::this_thread::get_id());
        }
}

TEST_CASE("for_each_block: blocks run at the same time") {
    backend::cpu<float> backend{{.threads = 2}};
    std::atomic<int> arrived = 0;
    std::atomic<bool> met = true;
    backend.for_each_block(
        2,
        [&](integer, integer) {
            ++arrived;
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
            while (arrived < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
            if (arrived < 2) met = false;
        },
        [](integer, integer) {});
    CHECK(met);
}

/// Throws in the bodies and merges that are named; gives the message that came back and what was merged.
template <class Backend>
std::pair<std::string, std::vector<integer>> failing(Backend& backend, integer blocks, std::vector<integer> bodies,
                                                     std::vector<integer> merges) {
    const auto among = [](const std::vector<integer>& list, integer block) {
        for (const integer b : list)
            if (b == block) return true;
        return false;
    };
    std::pair<std::string, std::vector<integer>> result{"nothing", {}};
    try {
        backend.for_each_block(
            blocks,
            [&](integer block, integer) {
                dawdle(block, blocks);
                if (among(bodies, block)) throw std::runtime_error("body " + std::to_string(block));
            },
            [&](integer block, integer) {
                if (among(merges, block)) throw std::runtime_error("merge " + std::to_string(block));
                result.second.push_back(block);
            });
    } catch (const std::runtime_error& error) {
        result.first = error.what();
    }
    return result;
}

template <class Backend> void check_exceptions(Backend& backend) {
    using list = std::vector<integer>;
    const auto expect = [&](list bodies, list merges, const std::string& message, const list& merged) {
        const auto result = failing(backend, 7, bodies, merges);
        CHECK(result.first == message);
        CHECK(result.second == merged);
    };
    expect({}, {}, "nothing", {0, 1, 2, 3, 4, 5, 6});
    expect({0}, {}, "body 0", {});
    expect({3}, {}, "body 3", {0, 1, 2});
    expect({6}, {}, "body 6", {0, 1, 2, 3, 4, 5});
    expect({}, {0}, "merge 0", {});
    expect({}, {4}, "merge 4", {0, 1, 2, 3});
    expect({}, {6}, "merge 6", {0, 1, 2, 3, 4, 5});
    // The lowest one, though a later block fails earlier in time.
    expect({2, 6}, {}, "body 2", {0, 1});
    expect({5, 6}, {1}, "merge 1", {0});
    expect({1, 2, 3, 4, 5, 6}, {0}, "merge 0", {});
    expect({}, {}, "nothing", {0, 1, 2, 3, 4, 5, 6});  // and it works again
}

TEST_CASE("for_each_block: the exception of the lowest block comes back, after the merges before it") {
    backend::reference<double> reference;
    check_exceptions(reference);
    for (const integer threads : {1, 2, 4, 5}) {  // of 7 blocks 0, 1, 3 and 2 are in a last round that is not full
        CAPTURE(threads);
        backend::cpu<float> backend{{.threads = threads}};
        check_exceptions(backend);
    }
}

TEST_CASE("for_each_block: no block begins on a worker that knows of a failure, of a later block of the same round either") {
    backend::cpu<float> backend{{.threads = 2}};
    std::atomic<bool> fails = false;
    std::vector<integer> begun, merged;
    const auto run = [&] {
        backend.for_each_block(
            3,
            [&](integer block, integer worker) {
                if (worker == 0) begun.push_back(block);
                if (block == 1) {
                    fails = true;
                    throw std::runtime_error("body 1");
                }
                while (!fails) std::this_thread::yield();
                std::this_thread::sleep_for(std::chrono::milliseconds(250));  // until that is known
            },
            [&](integer block, integer) { merged.push_back(block); });
    };
    CHECK_THROWS_WITH_AS(run(), "body 1", std::runtime_error);
    CHECK(begun == std::vector<integer>{0});
    CHECK(merged == std::vector<integer>{0});
}

TEST_CASE("for_each_block: many short jobs, and pools that are never used") {
    backend::cpu<float> backend{{.threads = 3}};
    long long sum = 0;
    for (integer job = 0; job < 2000; ++job) {
        integer part[3] = {};
        backend.for_each_block(
            job % 8, [&](integer block, integer worker) { part[worker] = block; }, [&](integer, integer worker) { sum += part[worker]; });
    }
    CHECK(sum == 2000 / 8 * (0 + 0 + 1 + 3 + 6 + 10 + 15 + 21));
    for (int i = 0; i < 20; ++i) backend::cpu<float> unused{{.threads = 4}};
}

/// The sum over tasks of a task's weight gradient, as a training step forms it.
template <class Scalar> aligned_vector<Scalar> summed_gradient(integer threads) {
    constexpr integer tasks = 7, batch = 5, side = 9, channels = 3, filters = 5, image = side * side * channels,
                      output = side * side * filters;
    constexpr integer weights = 9 * channels * filters;
    random::generator generator(1, random::purpose::user, 0);
    aligned_vector<Scalar> x(static_cast<std::size_t>(tasks * batch * image)), dy(static_cast<std::size_t>(tasks * batch * output));
    for (auto& e : x) e = static_cast<Scalar>(generator.uniform(-1, 1));
    for (auto& e : dy) e = static_cast<Scalar>(generator.uniform(-1, 1));
    backend::cpu<Scalar> backend{{.threads = threads, .smallest_share = 1}};
    std::vector<aligned_vector<Scalar>> parts(static_cast<std::size_t>(threads), aligned_vector<Scalar>(weights));
    aligned_vector<Scalar> sum(weights);
    backend.for_each_block(
        tasks,
        [&](integer t, integer worker) {
            auto& part = parts[static_cast<std::size_t>(worker)];
            backend.worker(worker).conv2d_backward_weights({part.data(), 0, 1, 1, weights, {3, 3, channels, filters}},
                                                           {x.data() + t * batch * image, 0, 1, batch, image, {side, side, channels}},
                                                           {dy.data() + t * batch * output, 0, 1, batch, output, {side, side, filters}},
                                                           {1, 1}, false);
        },
        [&](integer, integer worker) {
            backend.worker(worker).add_scaled(rows<Scalar>{sum.data(), 0, 1, weights}, Scalar(1),
                                              rows<const Scalar>{parts[static_cast<std::size_t>(worker)].data(), 0, 1, weights});
        });
    return sum;
}

TEST_CASE_TEMPLATE("for_each_block: sums over tasks have the same bits for any number of threads", Scalar, float, double) {
    const auto expected = summed_gradient<Scalar>(1);
    for (const integer threads : {2, 3, 5, 8}) CHECK(summed_gradient<Scalar>(threads) == expected);
}

}  // namespace
