// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>
#include <bilevel/testing/tolerance.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

/// The hypergradients of all algorithms on a backend are those of the cpu backend, up to rounding, and have the same bits however often they are computed.
namespace every_algorithm {

using namespace bilevel;
using hypergradient::planes;
using objective::cross_entropy;

inline constexpr fixture::sizes size{.tasks = 4, .outputs = 3, .support = 6, .query = 9};
inline constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.1};

template <class Network> inline const task<Network, cross_entropy> classification{.outputs = size.outputs};

/// dF/dx on a batch of four tasks, at parameters away from an initialisation's.
template <class Network, class Solver> auto hypergradient_of(Solver solver) {
    using scalar = typename Solver::scalar;
    const fixture::episodes<scalar, Network, cross_entropy> data(size);
    auto state = solver.initialise({.seed = 1});
    for (auto& element : state.parameters) element *= scalar(1.5);
    return solver.hypergradient(state, data.all());
}

/// again(f) calls f() under everything that must not change a bit.
template <class Backend, class Network, class Make, class Again> void check(Make make, Again again) {
    using scalar = typename Backend::scalar;
    backend::cpu<scalar> cpu;
    Backend tested;
    const auto expected = hypergradient_of<Network>(make(cpu)), actual = hypergradient_of<Network>(make(tested));
    // The longest chain is a sum over the pixels of a query set.
    const double allowed = testing::tolerance<scalar>(double(size.query * Network::input::count()));
    CHECK(testing::relative_error(actual.vector, expected.vector) <= allowed);
    CHECK(actual.report.loss == doctest::Approx(expected.report.loss).epsilon(allowed));
    CHECK(actual.report.accuracy == expected.report.accuracy);
    again([&] { CHECK(hypergradient_of<Network>(make(tested)).vector == actual.vector); });
}

template <class Backend, class Network, class Again> void check_network(Again again) {
    const auto& task = classification<Network>;
    SUBCASE("maml, planes kept") {
        check<Backend, Network>([&](auto& b) { return maml(b, task, {.inner = rule}); }, again);
    }
    SUBCASE("maml, planes recomputed") {
        check<Backend, Network>([&](auto& b) { return maml(b, task, {.inner = rule, .hypergradient = {.planes = planes::recomputed}}); },
                                again);
    }
    SUBCASE("fomaml") {
        check<Backend, Network>([&](auto& b) { return fomaml(b, task, {.inner = rule}); }, again);
    }
    SUBCASE("imaml") {
        check<Backend, Network>(
            [&](auto& b) {
                return imaml(b, task, 50.0, {.inner = {.steps = 3, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 5}}});
            },
            again);
    }
    SUBCASE("anil") {
        check<Backend, Network>([&](auto& b) { return anil(b, task, {.inner = rule}); }, again);
    }
    SUBCASE("mtl") {
        check<Backend, Network>([&](auto& b) { return mtl(b, task, size.classes); }, again);
    }
}
}  // namespace every_algorithm
