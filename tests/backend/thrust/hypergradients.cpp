// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The hypergradients of all algorithms are those of the cpu backend, up to rounding, and have the same bits for any number of threads.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>
#include <bilevel/testing/tolerance.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>
#include <fixtures/thrust.hpp>

using namespace bilevel;
using hypergradient::planes;
using objective::cross_entropy;

namespace {
const fixture::sizes size{.tasks = 4, .outputs = 3, .support = 6, .query = 9};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.1};

template <class Network> const task<Network, cross_entropy> classification{.outputs = size.outputs};

/// dF/dx on a batch of four tasks, at parameters away from an initialisation's.
template <class Network, class Solver> auto hypergradient_of(Solver solver) {
    using scalar = typename Solver::scalar;
    const fixture::episodes<scalar, Network, cross_entropy> data(size);
    auto state = solver.initialise({.seed = 1});
    for (auto& element : state.parameters) element *= scalar(1.5);
    return solver.hypergradient(state, data.all());
}

template <class Scalar, class Network, class Make> void check(Make make) {
    backend::cpu<Scalar> cpu;
    fixture::parallel_thrust<Scalar> thrust;
    const auto expected = hypergradient_of<Network>(make(cpu)), actual = hypergradient_of<Network>(make(thrust));
    // The longest chain is a sum over the pixels of a query set.
    const double allowed = testing::tolerance<Scalar>(double(size.query * Network::input::count()));
    CHECK(testing::relative_error(actual.vector, expected.vector) <= allowed);
    CHECK(actual.report.loss == doctest::Approx(expected.report.loss).epsilon(allowed));
    CHECK(actual.report.accuracy == expected.report.accuracy);
    fixture::with_threads([&] { CHECK(hypergradient_of<Network>(make(thrust)).vector == actual.vector); });
}

template <class Scalar, class Network> void check_network() {
    const auto& task = classification<Network>;
    SUBCASE("maml, planes kept") {
        check<Scalar, Network>([&](auto& b) { return maml(b, task, {.inner = rule}); });
    }
    SUBCASE("maml, planes recomputed") {
        check<Scalar, Network>([&](auto& b) { return maml(b, task, {.inner = rule, .hypergradient = {.planes = planes::recomputed}}); });
    }
    SUBCASE("fomaml") {
        check<Scalar, Network>([&](auto& b) { return fomaml(b, task, {.inner = rule}); });
    }
    SUBCASE("imaml") {
        check<Scalar, Network>([&](auto& b) {
            return imaml(b, task, 50.0, {.inner = {.steps = 3, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 5}}});
        });
    }
    SUBCASE("anil") {
        check<Scalar, Network>([&](auto& b) { return anil(b, task, {.inner = rule}); });
    }
    SUBCASE("mtl") {
        check<Scalar, Network>([&](auto& b) { return mtl(b, task, size.classes); });
    }
}
}  // namespace

TEST_CASE_TEMPLATE("thrust: the hypergradients are those of the cpu backend, for any number of threads", Scalar, float, double) {
    check_network<Scalar, fixture::two_blocks>();
}
