// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What a device needs, without one: the solver touches the arrays of the kernels in kernels alone, and what it shares with them only when they are done.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/data/resident_episodes.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/guarded_memory.hpp>
#include <fixtures/networks.hpp>
#include <fixtures/same_episodes.hpp>
#include <fixtures/thrust.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

using namespace bilevel;
using hypergradient::planes;

namespace {
const fixture::sizes size{.tasks = 4, .outputs = 3, .support = 6, .query = 9};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.1};
using network = fixture::two_blocks;

/// All that a solver is asked for in its life.
struct life {
    std::vector<float> hypergradient, parameters, statistics, moments, logits;
    std::vector<double> evaluated, losses;
    integer iterations = 0;

    template <class Loss, class Solver> static life of(Solver solver) {
        const fixture::episodes<float, network, Loss> data(size);
        auto state = solver.initialise({.seed = 1});
        life l;
        const auto gradient = solver.hypergradient(state, data.all());
        CHECK(gradient.vector.get_allocator() == state.parameters.get_allocator());  // where kernels can read it
        l.hypergradient.assign(gradient.vector.begin(), gradient.vector.end());
        for (int i = 0; i < 5; ++i) l.losses.push_back(solver.step(state, data.all()).loss);
        // A state from elsewhere, such as a checkpoint.
        aligned_vector<float> elsewhere(state.parameters.begin(), state.parameters.end(), aligned_allocator<float>{});
        state.parameters = elsewhere;
        const auto adapted = solver.adapt(state, data.all());
        l.logits = solver.logits(adapted, data.all().query.inputs, size.query);
        l.evaluated = solver.evaluate(state, data.all());
        const auto report = solver.step(state, data.all());
        l.losses.push_back(report.loss);
        l.iterations = report.linear_iterations;
        l.parameters.assign(state.parameters.begin(), state.parameters.end());
        l.statistics.assign(state.statistics.begin(), state.statistics.end());
        l.moments.assign(state.moments.begin(), state.moments.end());
        return l;
    }
};

template <class Loss = objective::cross_entropy, class Make> void check(Make make) {
    fixture::sequential_thrust<float> host;
    fixture::guarded_thrust<float> guarded;
    const task<network, Loss> of{.outputs = size.outputs};
    const integer before = fixture::device::only().kernels;
    const life expected = life::of<Loss>(make(host, of)), actual = life::of<Loss>(make(guarded, of));
    CHECK(fixture::device::only().kernels - before > 100);
    CHECK(guarded.replays >= 4);  // of whole steps
    CHECK(actual.hypergradient == expected.hypergradient);
    CHECK(actual.losses == expected.losses);
    CHECK(actual.logits == expected.logits);
    CHECK(actual.evaluated == expected.evaluated);
    CHECK(actual.parameters == expected.parameters);
    CHECK(actual.statistics == expected.statistics);
    CHECK(actual.moments == expected.moments);
    CHECK(actual.iterations == expected.iterations);
}

/// Images of the network's size of which no two are alike.
data::image_set<float> waves(std::size_t classes, std::size_t images) {
    xt::xtensor<float, 4> pixels(
        std::array<std::size_t, 4>{classes * images, network::input::extents[0], network::input::extents[1], network::input::extents[2]});
    std::vector<int> labels;
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = float(std::sin(double(i * i % 1009)));
    for (std::size_t i = 0; i < classes * images; ++i) labels.push_back(int(i / images));
    return data::image_set_from(pixels, labels);
}
}  // namespace

static_assert(backend::any<fixture::guarded_thrust<float>>);

TEST_CASE("device memory: episodes from a set that lies there") {
    const auto sampler = data::episodes(waves(4, 6), {.ways = 3, .shots = 2, .queries = 3});
    const task<network, objective::cross_entropy> of{.outputs = 3};
    const auto train = [&](auto& on) {
        data::resident_episodes resident(on.worker(0), sampler);
        auto solver = maml(on, of, {.inner = rule});
        auto state = solver.initialise({.seed = 1});
        for (integer i = 0; i < 3; ++i) solver.step(state, resident.batch(i, 2));
        return std::vector<float>(state.parameters.begin(), state.parameters.end());
    };
    fixture::sequential_thrust<float> host;
    fixture::guarded_thrust<float> guarded;
    CHECK(train(guarded) == train(host));
}

TEST_CASE("device memory: episodes are drawn there by kernels that are repeated, and are those of the host") {
    fixture::guarded_thrust<float> guarded;
    const auto set = waves(9, 5).with_rotated_classes().with_turns_in_episodes();
    auto training = data::episodes(set, {.ways = 3, .shots = 2, .queries = 3}),
         test = data::episodes(set, {.ways = 4, .shots = 1, .queries = 2, .purpose = random::purpose::test_episodes});
    data::resident_episodes resident_training(guarded, training), resident_test(guarded, test);
    const auto check = [&](auto& sampler, auto& resident, integer i, integer tasks) {
        const integer waits = fixture::device::only().waits;
        const auto drawn = resident.batch(i, tasks);
        CHECK(fixture::device::only().waits == waits);
        CHECK(fixture::same_episodes(guarded, sampler.batch(i, tasks), drawn));
    };
    for (const integer i : {0, 1, 2, 100, 7, 7, 50}) {
        check(training, resident_training, i, 4);
        check(test, resident_test, i, 2);
    }
    CHECK(guarded.replays == 12);
    for (const integer i : {3, 1, 2}) check(training, resident_training, i, 5);
    CHECK(guarded.replays == 14);
}

TEST_CASE(
    "device memory: a hundred steps that are repeated have the bits of a hundred steps kernel by kernel, and the host waits once in each") {
    fixture::sequential_thrust<float> host;
    fixture::guarded_thrust<float> guarded;
    const fixture::episodes<float, network, objective::cross_entropy> data({.tasks = 2, .outputs = 3, .support = 3, .query = 3});
    const auto train = [&](auto& on, auto each) {
        auto solver = fomaml(on, task<network, objective::cross_entropy>{.outputs = 3}, {.inner = rule, .clipping = {.norm = 0.5}});
        auto state = solver.initialise({.seed = 1});
        for (int i = 0; i < 100; ++i) each([&] { solver.step(state, data.all()); });
        return state;
    };
    const auto eager = train(host, [](auto step) { step(); });
    const auto replayed = train(guarded, [](auto step) {
        const integer before = fixture::device::only().waits;
        step();
        CHECK(fixture::device::only().waits == before + 1);
    });
    CHECK(guarded.replays == 99);
    CHECK(std::equal(eager.parameters.begin(), eager.parameters.end(), replayed.parameters.begin()));
    CHECK(std::equal(eager.statistics.begin(), eager.statistics.end(), replayed.statistics.begin()));
    CHECK(std::equal(eager.moments.begin(), eager.moments.end(), replayed.moments.begin()));
}

TEST_CASE("device memory: where a loss is not finite the state is as it was, and a training goes on as if nothing had been") {
    fixture::sequential_thrust<float> host;
    const task<network, objective::cross_entropy> of{.outputs = size.outputs};
    using episodes = fixture::episodes<float, network, objective::cross_entropy>;
    const episodes good(size);
    episodes inner = good, outer = good;
    inner.support_inputs[std::size_t(1 * size.support * episodes::pixels + 5)] = std::numeric_limits<float>::quiet_NaN();
    outer.query_inputs[std::size_t(2 * size.query * episodes::pixels + 5)] = std::numeric_limits<float>::infinity();
    for (const double norm : {std::numeric_limits<double>::infinity(), 0.01})
        for (int steps = 0; steps < 4; ++steps) {  // the broken one is run, recorded, or repeated
            fixture::guarded_thrust<float> guarded;
            const auto with = [&](auto& on) { return maml(on, of, {.inner = rule, .clipping = {.norm = norm}}); };
            auto solver = with(guarded);
            auto expecting = with(host);
            auto state = solver.initialise({.seed = 1});
            auto expected = expecting.initialise({.seed = 1});
            for (int i = 0; i < steps; ++i) solver.step(state, good.all());
            for (int i = 0; i < steps + 1; ++i) expecting.step(expected, good.all());
            const auto before = state;
            for (const episodes* broken : {&inner, &outer}) {
                CHECK_THROWS_AS(solver.step(state, broken->all()), numeric_error);
                CHECK(state.parameters == before.parameters);
                CHECK(state.statistics == before.statistics);
                CHECK(state.moments == before.moments);
                CHECK(state.iteration == before.iteration);
            }
            solver.step(state, good.all());
            CHECK(std::equal(expected.parameters.begin(), expected.parameters.end(), state.parameters.begin()));
            CHECK(std::equal(expected.moments.begin(), expected.moments.end(), state.moments.begin()));
        }
}

TEST_CASE("device memory: maml, planes kept") {
    check([](auto& b, const auto& t) { return maml(b, t, {.inner = rule}); });
}
TEST_CASE("device memory: maml, planes recomputed, of a regression, clipped") {
    check<objective::mean_squared_error>([](auto& b, const auto& t) {
        return maml(b, t, {.inner = rule, .hypergradient = {.planes = planes::recomputed}, .clipping = {.value = 1, .norm = 0.01}});
    });
}
TEST_CASE("device memory: fomaml") {
    check([](auto& b, const auto& t) { return fomaml(b, t, {.inner = rule}); });
}
TEST_CASE("device memory: imaml, whose conjugate gradients run to the end and leave what has converged alone") {
    check([](auto& b, const auto& t) {
        return imaml(b, t, 50.0,
                     {.inner = {.steps = 3, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 8, .tolerance = 0.05}}});
    });
}
TEST_CASE("device memory: anil") {
    check([](auto& b, const auto& t) { return anil(b, t, {.inner = rule}); });
}
TEST_CASE("device memory: mtl") {
    check([](auto& b, const auto& t) { return mtl(b, t, size.classes); });
}
