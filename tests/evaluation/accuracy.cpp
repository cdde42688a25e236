// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/data/glyphs.hpp>
#include <bilevel/data/sinusoids.hpp>
#include <bilevel/evaluation/accuracy.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace bl = bilevel;
using bl::integer;

namespace {
constexpr auto near = [](double x) { return doctest::Approx(x).epsilon(1e-12); };  // sums of a few numbers in double
}

TEST_CASE("accuracy: of a classification is the mean over the episodes, each by itself") {
    bl::backend::reference<double> backend;
    using network = bl::nn::mlp<bl::shape<8, 8, 1>, 16>;
    auto solver =
        bl::maml(backend, bl::task<network, bl::objective::cross_entropy>{.outputs = 3}, {.inner = {.steps = 1, .step_size = 0.2}});
    const auto state = solver.initialise({.seed = 3});
    const auto glyphs = bl::data::glyphs({.training_classes = 0, .validation_classes = 0, .test_classes = 12, .drawings = 6, .size = 8});
    auto sampler =
        bl::data::episodes<double>(glyphs.test, {.ways = 3, .shots = 2, .queries = 4, .purpose = bl::random::purpose::test_episodes});

    std::vector<double> alone;
    for (integer e = 0; e < 7; ++e) alone.push_back(solver.evaluate(state, sampler.episodes(e, 1), {.inner_steps = 3})[0]);
    double mean = 0, squares = 0;
    for (const double a : alone) mean += a / 7;
    for (const double a : alone) squares += (a - mean) * (a - mean);
    REQUIRE(squares > 0);  // an interval of zero would say nothing

    std::vector<integer> done;
    const auto m = bl::evaluation::accuracy(
        solver, state, sampler, {.episodes = 7, .inner_steps = 3, .batch = 3, .progress = [&](integer n) { done.push_back(n); }});
    CHECK(m.mean == near(mean));
    CHECK(m.ci95 == near(1.96 * std::sqrt(squares / 6 / 7)));
    CHECK(m.episodes == 7);
    CHECK(m.is_classification);
    CHECK(done == std::vector<integer>{3, 6, 7});  // the last batch is smaller
    for (const integer batch : {1, 2, 7, 100}) {
        const auto same = bl::evaluation::accuracy(solver, state, sampler, {.episodes = 7, .inner_steps = 3, .batch = batch});
        CHECK(same.mean == m.mean);
        CHECK(same.ci95 == m.ci95);
    }
    // Fewer episodes are the first ones of the same list.
    CHECK(bl::evaluation::accuracy(solver, state, sampler, {.episodes = 1, .inner_steps = 3}).mean == alone[0]);
    CHECK(std::isnan(bl::evaluation::accuracy(solver, state, sampler, {.episodes = 1}).ci95));

    const std::string line = m.describe();
    for (const char* part : {"accuracy ", "7 episodes", "3-way 2-shot, 4 queries a class", "1 in training, 3 at test", "no batch norm"})
        CHECK_MESSAGE(line.find(part) != std::string::npos, line);
    CHECK_THROWS_AS(bl::evaluation::accuracy(solver, state, sampler, {.episodes = 0}), bl::argument_error);
    CHECK_THROWS_AS(bl::evaluation::accuracy(solver, state, sampler, {.batch = 0}), bl::argument_error);
}

TEST_CASE("accuracy: of a regression is its loss, and more inner steps than in training are taken") {
    bl::backend::reference<double> backend;
    using network = bl::nn::mlp<bl::shape<1>, 8>;
    auto solver =
        bl::maml(backend, bl::task<network, bl::objective::mean_squared_error>{.outputs = 1}, {.inner = {.steps = 1, .step_size = 0.01}});
    const auto state = solver.initialise({.seed = 5});
    bl::data::sinusoids<double> sampler({.shots = 5, .queries = 6});
    double expected = 0, as_trained = 0;
    for (integer e = 0; e < 4; ++e) {
        expected += solver.evaluate(state, sampler.episodes(e, 1), {.inner_steps = 5})[0] / 4;
        as_trained += solver.evaluate(state, sampler.episodes(e, 1))[0] / 4;
    }
    REQUIRE(expected != as_trained);
    const auto m = bl::evaluation::accuracy(solver, state, sampler, {.episodes = 4, .inner_steps = 5});
    CHECK(m.mean == near(expected));
    CHECK_FALSE(m.is_classification);
    CHECK(bl::evaluation::accuracy(solver, state, sampler, {.episodes = 4}).mean == near(as_trained));
    for (const char* part : {"loss ", "5 support points and 6 query points", "1 in training, 5 at test"})
        CHECK_MESSAGE(m.describe().find(part) != std::string::npos, m.describe());
}

TEST_CASE("accuracy: says what batch norm did") {
    using bl::autodiff::normalisation;
    const auto says = [](bool any, bool inner, normalisation how) { return bl::evaluation::detail::batch_norm_of(any, inner, how); };
    CHECK(says(true, true, normalisation::batch).find("transductive") != std::string::npos);
    CHECK(says(true, true, normalisation::running).find("running statistics for queries") != std::string::npos);
    CHECK(says(true, false, normalisation::running) == "batch norm: running statistics");
}

TEST_CASE("accuracy: what was never measured can be printed") {
    CHECK(bilevel::evaluation::measurement{}.describe().find("0 episodes") != std::string::npos);
}
