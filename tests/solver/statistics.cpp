// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Running statistics of batch norm: the outer pass of a training step records them, in the order of the tasks, and nothing else does.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/cross_entropy.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <cmath>
#include <vector>

using namespace bilevel;
using objective::cross_entropy;
using network = fixture::two_blocks;

namespace {
const fixture::sizes size{.tasks = 3, .outputs = 3, .support = 6, .query = 9};
const task<network, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.2};
constexpr integer channels = network::body::layer<0>::output::extent<2>;

struct moments {
    double mean[channels] = {}, variance[channels] = {};
};
// Mean and biased variance of the first convolution's output on the query set of a task, with the weights y, by plain sums.
moments of_first_layer(const double* y, const double* images, integer count) {
    using first = network::body::layer<0>;
    backend::reference<double> kernels;
    std::vector<double> out(std::size_t(count * first::output::count()));
    const view<double> to{out.data(), 0, 1, count, first::output::count(), {8, 8, channels}};
    kernels.conv2d(to, {images, 0, 1, count, first::input::count(), {8, 8, 1}}, {y, 0, 1, 1, first::weights::count(), {3, 3, 1, channels}},
                   first::geometry, false);
    moments m;
    const double positions = double(out.size()) / channels;
    for (std::size_t i = 0; i < out.size(); ++i) m.mean[i % channels] += out[i] / positions;
    for (std::size_t i = 0; i < out.size(); ++i) m.variance[i % channels] += std::pow(out[i] - m.mean[i % channels], 2) / positions;
    return m;
}
const fixture::episodes<double, network, cross_entropy> data(size);
}  // namespace

TEST_CASE("a step records the outer pass of each task, at its adapted parameters, in the order of the tasks") {
    backend::reference<double> backend;
    constexpr double momentum = 0.3;
    auto solver = maml(backend, classification, {.inner = rule, .statistics_momentum = momentum});
    auto state = solver.initialise({.seed = 1});
    REQUIRE(state.statistics.size() == std::size_t(2 * padded(channels) + 2 * padded(5)));

    moments running;
    for (integer c = 0; c < channels; ++c) {
        CHECK(state.statistics[std::size_t(c)] == 0);
        CHECK(state.statistics[std::size_t(padded(channels) + c)] == 1);
        running.variance[c] = 1;
    }
    const auto adapted = solver.adapt(state, data.all());
    for (integer t = 0; t < size.tasks; ++t) {
        const moments batch = of_first_layer(adapted.rows_of_tasks().row(t), data.only(t).query.inputs, size.query);
        for (integer c = 0; c < channels; ++c) {
            running.mean[c] = (1 - momentum) * running.mean[c] + momentum * batch.mean[c];
            running.variance[c] = (1 - momentum) * running.variance[c] + momentum * batch.variance[c];
        }
    }
    solver.step(state, data.all());
    for (integer c = 0; c < channels; ++c) {
        CHECK(state.statistics[std::size_t(c)] == doctest::Approx(running.mean[c]).epsilon(1e-12));
        // The layer gives it back from 1/√(variance + ε): ε is lost to rounding where it is large beside the variance.
        CHECK(state.statistics[std::size_t(padded(channels) + c)] == doctest::Approx(running.variance[c]).epsilon(1e-10));
    }
}

TEST_CASE("hypergradient, adapt and evaluate leave no trace in the next step") {
    backend::reference<double> backend;
    const auto after = [&](bool disturbed) {
        auto solver = maml(backend, classification, {.inner = rule});
        auto state = solver.initialise({.seed = 1});
        solver.step(state, data.all());
        if (disturbed) {
            const auto before = state;
            solver.hypergradient(state, data.all());
            solver.adapt(state, data.all());
            solver.evaluate(state, data.all());
            solver.evaluate(state, data.all(), {.inner_steps = 5, .normalisation = autodiff::normalisation::running});
            CHECK(state.statistics == before.statistics);
            CHECK(state.parameters == before.parameters);
            CHECK(state.moments == before.moments);
            CHECK(state.iteration == before.iteration);
        }
        solver.step(state, data.all());
        return state;
    };
    const auto plain = after(false), disturbed = after(true);
    CHECK(plain.statistics == disturbed.statistics);
    CHECK(plain.parameters == disturbed.parameters);
    CHECK(plain.moments == disturbed.moments);
    CHECK(plain.iteration == 2);
}

TEST_CASE("every algorithm records; with momentum one, running statistics are those of the last task's query set") {
    backend::reference<double> backend;
    const auto check = [&](auto solver) {
        auto state = solver.initialise({.seed = 1});
        const auto before = state;
        solver.step(state, data.all());
        CHECK(state.statistics != before.statistics);
        // At the parameters of before, with what was recorded there: the last task's query set is normalised by its own statistics either way.
        auto recorded = before;
        recorded.statistics = state.statistics;
        const auto last = data.only(size.tasks - 1);
        const auto by_batch = solver.logits(solver.adapt(recorded, last), last.query.inputs, size.query);
        const auto by_running =
            solver.logits(solver.adapt(recorded, last, {.normalisation = autodiff::normalisation::running}), last.query.inputs, size.query);
        double difference = 0, norm = 0;
        for (std::size_t i = 0; i < by_batch.size(); ++i) {
            difference += std::abs(by_batch[i] - by_running[i]);
            norm += std::abs(by_batch[i]);
        }
        CHECK(norm > 0);
        CHECK(difference < 1e-10 * norm);
        // Without them, another normalisation and other logits.
        const auto by_first =
            solver.logits(solver.adapt(before, last, {.normalisation = autodiff::normalisation::running}), last.query.inputs, size.query);
        CHECK(by_first != by_running);
    };
    check(maml(backend, classification, {.inner = rule, .statistics_momentum = 1}));
    check(fomaml(backend, classification, {.inner = rule, .statistics_momentum = 1}));
    check(imaml(backend, classification, 10.0, {.inner = {.steps = 3, .step_size = 0.05}, .statistics_momentum = 1}));
    check(anil(backend, classification, {.inner = rule, .statistics_momentum = 1}));
}

TEST_CASE("mtl records the pass of its training set") {
    backend::reference<double> backend;
    auto solver = mtl(backend, classification, size.classes, {.statistics_momentum = 1});
    auto state = solver.initialise({.seed = 1});
    const auto before = state.parameters;
    solver.step(state, data.all());
    const moments expected = of_first_layer(before.data(), data.only(size.tasks - 1).query.inputs, size.query);
    for (integer c = 0; c < channels; ++c) {
        CHECK(state.statistics[std::size_t(c)] == doctest::Approx(expected.mean[c]).epsilon(1e-12));
        CHECK(state.statistics[std::size_t(padded(channels) + c)] == doctest::Approx(expected.variance[c]).epsilon(1e-10));
    }
}
