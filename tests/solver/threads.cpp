// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// A training run has the same bits for any number of threads.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/objective/cross_entropy.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <vector>

using namespace bilevel;
using objective::cross_entropy;
using network = fixture::two_blocks;

namespace {
// Seven tasks on two or three threads: the blocks do not come out even.
const fixture::sizes size{.tasks = 7, .outputs = 3, .support = 6, .query = 9};
const task<network, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.1};

struct run {
    aligned_vector<float> parameters, statistics, moments;
    std::vector<double> losses, accuracies;
    friend bool operator==(const run&, const run&) = default;
};
template <class Make> run train(const fixture::sizes& of, integer threads, integer smallest_share, Make make) {
    const fixture::episodes<float, network, cross_entropy> data(of);
    backend::cpu<float> backend{{.threads = threads, .smallest_share = smallest_share}};
    auto solver = make(backend);
    auto state = solver.initialise({.seed = 1});
    run r;
    for (int i = 0; i < 4; ++i) r.losses.push_back(solver.step(state, data.all()).loss);
    for (const double accuracy : solver.evaluate(state, data.all())) r.accuracies.push_back(accuracy);
    r.parameters = state.parameters;
    r.statistics = state.statistics;
    r.moments = state.moments;
    return r;
}
template <class Make> void check(Make make) {
    const run one = train(size, 1, 1, make);
    REQUIRE(one.losses.front() != one.losses.back());
    for (const integer threads : {2, 3, 8}) CHECK(train(size, threads, integer{1} << 15, make) == one);
    // With fewer tasks than threads several share the kernels of a task: here all that can be shared.
    for (const integer tasks : {1, 3}) {
        fixture::sizes few = size;
        few.tasks = tasks;
        const run alone = train(few, 1, 1, make);
        for (const integer threads : {2, 4, 7}) CHECK(train(few, threads, 1, make) == alone);
    }
}
}  // namespace

TEST_CASE("maml") {
    check([](auto& b) { return maml(b, classification, {.inner = rule}); });
}
TEST_CASE("maml, clipped, planes recomputed") {
    check([](auto& b) {
        return maml(b, classification,
                    {.inner = rule, .hypergradient = {.planes = hypergradient::planes::recomputed}, .clipping = {.norm = 0.1}});
    });
}
TEST_CASE("imaml") {
    check([](auto& b) {
        return imaml(b, classification, 50.0, {.inner = {.steps = 3, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 5}}});
    });
}
TEST_CASE("anil") {
    check([](auto& b) { return anil(b, classification, {.inner = rule}); });
}
TEST_CASE("mtl") {
    check([](auto& b) { return mtl(b, classification, size.classes); });
}
