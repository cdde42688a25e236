// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// ResNet-12 of small widths under two solvers: the hypergradient that each steps along is that of its composed map, and both learn.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/objective/cross_entropy.hpp>

#include <doctest/doctest.h>
#include <fixtures/composed.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace bilevel;
using network = nn::resnet12<shape<16, 16, 3>, 8, 8, 16, 16>;
using objective::cross_entropy;

namespace {
const fixture::sizes size{.tasks = 2, .outputs = 3, .support = 6, .query = 9};
const fixture::inner_loop loop{.steps = 2, .step_size = 0.05};

// `map` is the composed map of the solver's problem, in plain loops over dual numbers.
template <class Solver, class Map> void check(Solver solver, Map map) {
    const fixture::episodes<double, network, cross_entropy> data(size);
    auto state = solver.initialise({.seed = 1});
    const auto start = fixture::parameters<network>(size.outputs);
    std::copy_n(start.begin(), network::body_size, state.parameters.begin());
    const auto gradient = solver.hypergradient(state, data.all());
    double largest = 0, error = 0;
    for (std::uint64_t i = 0; i < 2; ++i) {
        // Every element is a direction: the padding does not reach the loss, and its gradient is zero.
        random::generator generator(8, random::purpose::user, i);
        std::vector<double> u(state.parameters.size());
        for (double& element : u) element = generator.normal() / std::sqrt(double(u.size()));
        const double ours = std::inner_product(u.begin(), u.end(), gradient.vector.begin(), 0.0);
        const double expected =
            fixture::over_duals<network, cross_entropy>(size, {state.parameters.begin(), state.parameters.end()}, u, map);
        largest = std::max(largest, std::abs(expected));
        error = std::max(error, std::abs(ours - expected));
    }
    CHECK(largest > 1e-4);
    CHECK(error < 1e-11 * largest);  // the roundings of some thousand sums, through sixteen batch norms on a few numbers a channel

    const double first = solver.step(state, data.all()).loss;
    double last = first;
    for (int i = 0; i < 30; ++i) last = solver.step(state, data.all()).loss;
    CHECK(first > 0.3);
    CHECK(last < 0.5 * first);
}
}  // namespace

TEST_CASE("resnet12: MAML") {
    backend::cpu<double> backend{{.threads = 2}};
    check(maml(backend, task<network, cross_entropy>{.outputs = size.outputs},
               {.inner = {.steps = loop.steps, .step_size = loop.step_size}, .outer = {.step_size = 3e-3}}),
          [](auto& composed, const auto& at) { return composed(at, loop); });
}

TEST_CASE("resnet12: MTL") {
    backend::cpu<double> backend{{.threads = 2}};
    check(mtl(backend, task<network, cross_entropy>{.outputs = size.outputs}, size.classes, {.outer = {.step_size = 3e-3}}),
          [](auto& composed, const auto& at) { return composed.shared_body(at); });
}
