// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// A short few-shot training: it learns, and has the same bits for any number of threads.
#include <bilevel/algorithms.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/data/glyphs.hpp>
#include <bilevel/evaluation/accuracy.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/objective/cross_entropy.hpp>

#include <doctest/doctest.h>
#include <fixtures/thrust.hpp>

#include <vector>

using namespace bilevel;
using network = nn::conv4<shape<28, 28, 1>, 6>;

namespace {
/// Trains on generated characters, five ways of one shot, four tasks a step; gives the state and the accuracy on test characters.
struct run {
    state<float> trained;
    double accuracy;
};
run train(int steps, integer test_episodes) {
    fixture::parallel_thrust<float> backend;
    auto solver = maml(backend, task<network, objective::cross_entropy>{.outputs = 5},
                       {.inner = {.steps = 1, .step_size = 0.4}, .outer = {.step_size = 1e-2}});
    static const auto glyphs = data::glyphs({.seed = 7});  // drawn once for all runs
    auto training = data::episodes(glyphs.training, {.ways = 5, .shots = 1, .queries = 3, .seed = 7});
    auto test = data::episodes(glyphs.test, {.ways = 5, .shots = 1, .queries = 3, .seed = 8});
    auto state = solver.initialise({.seed = 7});
    for (int i = 0; i < steps; ++i) solver.step(state, training.batch(i, 4));
    return {state, evaluation::accuracy(solver, state, test, {.episodes = test_episodes}).mean};
}
}  // namespace

TEST_CASE("thrust: a short few-shot training learns") {
    const double before = train(0, 60).accuracy, after = train(60, 60).accuracy;
    MESSAGE("accuracy " << before << " before, " << after << " after");
    CHECK(before < 0.3);  // chance is 0.2, with a standard error of 0.013
    CHECK(after > 0.45);
}

TEST_CASE("thrust: a training has the same bits for any number of threads") {
    std::vector<run> runs;
    fixture::with_threads([&] { runs.push_back(train(3, 8)); });
    for (const run& r : runs) {
        CHECK(r.trained.parameters == runs[0].trained.parameters);
        CHECK(r.trained.statistics == runs[0].trained.statistics);
        CHECK(r.trained.moments == runs[0].trained.moments);
        CHECK(r.accuracy == runs[0].accuracy);
    }
}
