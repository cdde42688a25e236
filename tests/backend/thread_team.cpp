// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Threads that share the kernels of one task: every part once, exceptions, and the same bits as one thread.
#include "conformance.hpp"
#include "transformed_ahead.hpp"

#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/cpu/rectangles.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace bilevel;
using backend::thread_pool;
using backend::thread_team;

namespace {
/// f(block, team) on a pool of so many workers, for so many blocks.
template <class F> void on_teams(integer workers, integer blocks, F f) {
    thread_pool pool(workers);
    pool.for_each_block(
        blocks, [&](integer block, integer worker) { f(block, pool.team(worker)); }, [](integer, integer) {});
}
}  // namespace

TEST_CASE("every worker without a block in the last round joins a team, and every part is done once") {
    for (const integer workers : {1, 2, 4, 5})
        for (const integer blocks : {1, 2, 3, 5, 7, 10}) {
            CAPTURE(workers);
            CAPTURE(blocks);
            std::atomic<integer> members = 0;
            std::atomic<int> wrong = 0;
            on_teams(workers, blocks, [&](integer block, thread_team& team) {
                if (block >= (blocks - 1) / workers * workers) {
                    members += team.size();
                } else if (team.size() != 1) {
                    ++wrong;
                }
                for (int repeat = 0; repeat < 20; ++repeat) {
                    std::vector<std::atomic<int>> done(static_cast<std::size_t>(repeat));
                    team.for_each(repeat, [&](integer part, integer member) {
                        ++done[static_cast<std::size_t>(part)];
                        if (member < 0 || member >= team.size()) ++wrong;
                    });
                    for (const auto& times : done)
                        if (times != 1) ++wrong;
                }
            });
            CHECK(members == workers);
            CHECK(wrong == 0);
        }
}

TEST_CASE("teams of the last round: who helps whom") {
    const auto sizes = [](integer workers, integer blocks) {
        std::vector<integer> all(static_cast<std::size_t>(blocks));
        on_teams(workers, blocks, [&](integer block, thread_team& team) { all[static_cast<std::size_t>(block)] = team.size(); });
        return all;
    };
    using list = std::vector<integer>;
    CHECK(sizes(2, 1) == list{2});
    CHECK(sizes(2, 3) == list{1, 1, 2});
    CHECK(sizes(2, 4) == list{1, 1, 1, 1});
    CHECK(sizes(4, 2) == list{2, 2});
    CHECK(sizes(4, 3) == list{2, 1, 1});
    CHECK(sizes(4, 5) == list{1, 1, 1, 1, 4});
    CHECK(sizes(4, 7) == list{1, 1, 1, 1, 2, 1, 1});
}

TEST_CASE("a worker that is through with its blocks takes parts of the last round") {
    std::atomic<int> arrived = 0;
    std::atomic<bool> met = true;
    on_teams(2, 3, [&](integer block, thread_team& team) {
        if (block < 2) return;
        team.for_each(2, [&](integer, integer) {
            ++arrived;
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
            while (arrived < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
            if (arrived < 2) met = false;
        });
    });
    CHECK(met);
}

TEST_CASE("the last round waits for no helper that is late") {
    std::atomic<bool> shared = false, waited = false;
    on_teams(2, 3, [&](integer block, thread_team& team) {
        if (block == 2) {
            team.for_each(8, [](integer, integer) {});
            shared = true;
        } else if (block == 1) {
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
            while (!shared && std::chrono::steady_clock::now() < end) std::this_thread::yield();
            waited = !shared;
        }
    });
    CHECK_FALSE(waited);
}

TEST_CASE("jobs of any number of blocks, one after the other, some of which fail") {
    for (const integer workers : {2, 3, 4}) {
        CAPTURE(workers);
        thread_pool pool(workers);
        for (integer job = 0; job < 300; ++job) {
            const integer blocks = job % 9, failing = job % 7 == 0 ? job % 5 : blocks, of_parts = 1 + job % 4;
            std::atomic<integer> done = 0;
            integer merged = 0, thrown = 0, out_of_order = 0;
            try {
                pool.for_each_block(
                    blocks,
                    [&](integer block, integer worker) {
                        pool.team(worker).for_each(of_parts, [&](integer part, integer) {
                            if (block == failing && part == of_parts - 1) throw std::runtime_error("a part");
                            ++done;
                        });
                    },
                    [&](integer block, integer worker) {
                        out_of_order += block != merged;
                        pool.team(worker).for_each(of_parts, [&](integer part, integer) {
                            if (part == 0) ++merged;
                        });
                    });
            } catch (const std::runtime_error&) {
                ++thrown;
            }
            CHECK(out_of_order == 0);
            CHECK(merged == std::min(blocks, failing));
            CHECK(thrown == (failing < blocks));
            if (thrown == 0) CHECK(done == blocks * of_parts);
        }
    }
}

TEST_CASE("what a part throws reaches the leader, after the other parts") {
    std::atomic<int> done = 0;
    std::string what;
    on_teams(3, 1, [&](integer, thread_team& team) {
        try {
            team.for_each(10, [&](integer part, integer) {
                if (part == 4) throw std::runtime_error("part 4");
                ++done;
            });
        } catch (const std::runtime_error& e) {
            what = e.what();
        }
        CHECK(done == 9);
        team.for_each(10, [&](integer, integer) { ++done; });
    });
    CHECK(what == "part 4");
    CHECK(done == 19);
}

TEST_CASE("rectangles: each element in one of them") {
    for (const integer most : {1, 2, 3, 4, 8, 16})
        for (const integer rows : {3, 16, 64})
            for (const integer columns : {1, 32, 640}) {
                const backend::rectangles cut(rows, 8, columns, 16, most);
                REQUIRE(cut.count() <= most);
                std::vector<int> taken(static_cast<std::size_t>(rows * columns));
                for (integer i = 0; i < cut.count(); ++i) {
                    const auto [first_row, end_row, first_column, end_column] = cut[i];
                    CHECK(end_row - first_row <= cut.most_rows());
                    CHECK(end_column - first_column <= cut.most_columns());
                    for (integer r = first_row; r < end_row; ++r)
                        for (integer c = first_column; c < end_column; ++c) ++taken[static_cast<std::size_t>(r * columns + c)];
                }
                CHECK(std::all_of(taken.begin(), taken.end(), [](int times) { return times == 1; }));
            }
}

namespace {
/// The elements of two results that differ by a bit, of one thread alone and of so many that share all they can; f(kernels, output, inputs …).
template <class Scalar, class F>
integer different_bits(integer threads, const conformance::argument& output, const std::vector<conformance::argument>& inputs, F f) {
    std::vector<conformance::plane<Scalar>> results, in;
    for (std::size_t i = 0; i < inputs.size(); ++i) in.emplace_back(inputs[i], 1, i + 1);
    for (const integer count : {integer{1}, threads}) {
        backend::cpu<Scalar> backend{{.threads = count, .smallest_share = 1}};
        results.emplace_back(output, 1, 0);
        backend.for_each_block(
            1,
            [&](integer, integer) {
                std::vector<view<const Scalar>> from;
                for (auto& plane : in) from.push_back(plane.of({0, 1}));
                f(backend.worker(0), results.back().of({0, 1}), from);
            },
            [](integer, integer) {});
    }
    integer count = 0;
    for (integer i = 0; i < results[0].per_task(); ++i) count += results[0].at(0, i) != results[1].at(0, i);
    return count;
}
}  // namespace

TEST_CASE_TEMPLATE("convolutions shared among threads have the bits of one", Scalar, float, double) {
    constexpr backend::convolution_geometry geometry{1, 1};
    struct sizes {
        integer images, side, channels, filters;
    };
    for (const sizes& s : {sizes{5, 7, 32, 64}, {1, 10, 64, 32}, {2, 5, 64, 128}, {31, 4, 16, 32}, {3, 8, 32, 32}})
        for (const auto algorithm : {backend::convolution_algorithm::automatic, backend::convolution_algorithm::winograd_4x4})
            for (const integer threads : {2, 3, 4, 9}) {
                CAPTURE(s.images);
                CAPTURE(s.channels);
                CAPTURE(threads);
                const conformance::argument x{s.images, {s.side, s.side, s.channels}}, y{s.images, {s.side, s.side, s.filters}},
                    w{1, {3, 3, s.channels, s.filters}};
                const auto same = [&](const conformance::argument& output, const std::vector<conformance::argument>& inputs, auto f) {
                    CHECK(different_bits<Scalar>(threads, output, inputs, [&](auto& k, auto out, auto& in) {
                              k.pin(algorithm);
                              f(k, out, in);
                          }) == 0);
                };
                for (const bool accumulate : {false, true}) {
                    same(y, {x, w}, [=](auto& k, auto out, auto& in) { k.conv2d(out, in[0], in[1], geometry, accumulate); });
                    same(x, {y, w}, [=](auto& k, auto out, auto& in) { k.conv2d_backward_data(out, in[0], in[1], geometry, accumulate); });
                    same(w, {x, y},
                         [=](auto& k, auto out, auto& in) { k.conv2d_backward_weights(out, in[0], in[1], geometry, accumulate); });
                }
                conformance::plane<Scalar> image(y, 1, 0);
                same({2, {s.filters}}, {x, w}, [&](auto& k, auto out, auto& in) {
                    const auto channel = [&](integer i) { return view<Scalar>{out.at(0, i), 0, 1, 1, s.filters, {s.filters}}; };
                    k.conv2d_moments(image.of({0, 1}), channel(0), channel(1), in[0], in[1], geometry, Scalar(1e-5));
                });
                same(y, {x, w, x, w}, [=](auto& k, auto out, auto& in) { k.conv2d_tangent(out, in[0], in[1], in[2], in[3], geometry); });
                same(x, {y, w, y, w},
                     [=](auto& k, auto out, auto& in) { k.conv2d_backward_data_tangent(out, in[0], in[1], in[2], in[3], geometry); });
                same(y, {x, w, x, w}, [=](auto& k, auto out, auto& in) {
                    k.conv2d_tangent(out, in[0], conformance::transformed_ahead(k, in[1], in[0], geometry, false), in[2], in[3], geometry);
                });
                same(x, {y, w, y, w}, [=](auto& k, auto out, auto& in) {
                    k.conv2d_backward_data_tangent(out, in[0], conformance::transformed_ahead(k, in[1], in[0], geometry, true), in[2],
                                                   in[3], geometry);
                });
                same(w, {x, y, x, y},
                     [=](auto& k, auto out, auto& in) { k.conv2d_backward_weights_tangent(out, in[0], in[1], in[2], in[3], geometry); });
            }
}

TEST_CASE_TEMPLATE("direct convolutions shared among threads have the bits of one", Scalar, float, double) {
    struct sizes {
        integer images, side, channels, filters;
        backend::convolution_geometry geometry;
    };
    // Many blocks of images, one image, fewer than threads, images that nothing pads, images so small that all taps are summed across images.
    for (const sizes& s :
         {sizes{300, 14, 3, 32, {1, 1}}, {1, 28, 1, 64, {2, 1}}, {3, 9, 5, 7, {1, 0}}, {41, 12, 16, 24, {2, 1}}, {10, 3, 8, 16, {1, 1}}})
        for (const integer threads : {2, 5}) {
            CAPTURE(s.images);
            CAPTURE(s.side);
            CAPTURE(threads);
            const integer side = s.geometry.output_extent(s.side, 3);
            const conformance::argument x{s.images, {s.side, s.side, s.channels}}, y{s.images, {side, side, s.filters}},
                w{1, {3, 3, s.channels, s.filters}};
            for (const bool accumulate : {false, true}) {
                CHECK(different_bits<Scalar>(threads, y, {x, w}, [&](auto& k, auto out, auto& in) {
                          k.conv2d(out, in[0], in[1], s.geometry, accumulate);
                      }) == 0);
                CHECK(different_bits<Scalar>(threads, x, {y, w}, [&](auto& k, auto out, auto& in) {
                          k.conv2d_backward_data(out, in[0], in[1], s.geometry, accumulate);
                      }) == 0);
                CHECK(different_bits<Scalar>(threads, w, {x, y}, [&](auto& k, auto out, auto& in) {
                          k.conv2d_backward_weights(out, in[0], in[1], s.geometry, accumulate);
                      }) == 0);
            }
        }
}

TEST_CASE_TEMPLATE("folded first layers shared among threads have the bits of one", Scalar, float, double) {
    struct sizes {
        integer images, side, channels, filters;
        bool pooled;
    };
    for (const sizes& s : {sizes{21, 28, 1, 64, true}, {5, 11, 3, 32, true}, {3, 7, 3, 17, false}, {1, 12, 1, 16, true}})
        for (const integer threads : {2, 5}) {
            CAPTURE(s.images);
            CAPTURE(s.side);
            CAPTURE(threads);
            const backend::convolution_geometry geometry{1, 1};
            const backend::activation<Scalar> follows{Scalar(0.1f)};
            const integer patch = 9 * s.channels, kernel = patch * s.filters, side = s.pooled ? s.side / 2 : s.side;
            const conformance::argument x{s.images, {s.side, s.side, s.channels}}, y{s.images, {side, side, s.filters}},
                w{1, {3, 3, s.channels, s.filters}}, bias{1, {s.filters}};
            // Two results, one behind the other.
            const auto part = [](view<Scalar> all, integer first, const view<Scalar>& of) {
                view<Scalar> result = of;
                result.data = all.data + first;
                return result;
            };
            const view<Scalar> of_patch{nullptr, 0, 1, 1, patch, {3, 3, s.channels}},
                covariance{nullptr, 0, 1, 1, patch * patch, {patch, patch}},
                weights{nullptr, 0, 1, 1, kernel, {3, 3, s.channels, s.filters}}, by_filter{nullptr, 0, 1, 1, s.filters, {s.filters}};
            CHECK(different_bits<Scalar>(threads, {1, {patch + patch * patch}}, {x}, [&](auto& k, auto out, auto& in) {
                      k.patch_moments(part(out, 0, of_patch), part(out, patch, covariance), in[0], geometry);
                  }) == 0);

            std::vector<std::uint8_t> positions(static_cast<std::size_t>(s.images * y.size()));
            const view<std::uint8_t> argmax =
                s.pooled ? view<std::uint8_t>{positions.data(), 0, 1, s.images, y.size(), {side, side, s.filters}} : view<std::uint8_t>{};
            CHECK(different_bits<Scalar>(threads, y, {x, w, bias}, [&](auto& k, auto out, auto& in) {
                      k.conv2d_activation(out, argmax, in[0], in[1], in[2], geometry, follows);
                  }) == 0);
            CHECK(different_bits<Scalar>(threads, y, {x, w, bias, y}, [&](auto& k, auto out, auto& in) {
                      k.conv2d_activation_tangent(out, in[3], argmax, in[0], in[1], in[2], geometry, follows);
                  }) == 0);
            CHECK(different_bits<Scalar>(threads, {1, {kernel + s.filters}}, {x, y, y}, [&](auto& k, auto out, auto& in) {
                      k.conv2d_activation_backward(part(out, 0, weights), part(out, kernel, by_filter), in[1], in[2], argmax, in[0],
                                                   geometry, follows);
                  }) == 0);
        }
}

TEST_CASE_TEMPLATE("matrix products shared among threads have the bits of one", Scalar, float, double) {
    struct sizes {
        integer rows, depth, columns;
    };
    for (const sizes& s : {sizes{5, 300, 64}, {401, 7, 5}, {203, 101, 135}, {390, 200, 31}})
        for (const integer threads : {2, 3, 5}) {
            CAPTURE(s.rows);
            CAPTURE(threads);
            const conformance::argument x{s.rows, {s.depth}}, w{1, {s.depth, s.columns}}, y{s.rows, {s.columns}};
            for (const bool accumulate : {false, true}) {
                CHECK(different_bits<Scalar>(threads, y, {x, w},
                                             [&](auto& k, auto out, auto& in) { k.matmul(out, in[0], in[1], accumulate); }) == 0);
                CHECK(different_bits<Scalar>(threads, x, {y, w}, [&](auto& k, auto out, auto& in) {
                          k.matmul_backward_data(out, in[0], in[1], accumulate);
                      }) == 0);
                CHECK(different_bits<Scalar>(threads, w, {x, y}, [&](auto& k, auto out, auto& in) {
                          k.matmul_backward_weights(out, in[0], in[1], accumulate);
                      }) == 0);
            }
        }
}

TEST_CASE("average pooling and rectifiers shared among threads have the bits of one") {
    const conformance::argument x{7, {5, 6, 9}}, mean{7, {9}};
    CHECK(different_bits<float>(3, mean, {x}, [](auto& k, auto out, auto& in) { k.average_pool(out, in[0]); }) == 0);
    CHECK(different_bits<float>(3, x, {mean}, [](auto& k, auto out, auto& in) { k.average_pool_backward(out, in[0]); }) == 0);
    CHECK(different_bits<float>(3, x, {x}, [](auto& k, auto out, auto& in) { k.rectify(out, in[0], 0.1F); }) == 0);
    CHECK(different_bits<float>(3, x, {x, x}, [](auto& k, auto out, auto& in) { k.rectify_backward(out, in[0], in[1], 0.1F); }) == 0);
}
