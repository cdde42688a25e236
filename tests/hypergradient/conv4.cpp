// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The unrolled hypergradient of the real Conv-4 (28 × 28, 64 filters, 5-way 1-shot, three inner steps), in double, by the backend that trains it, against
// the composed map x ↦ F(y_K(x)) over dual numbers and by central differences along five random directions.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>
#include <bilevel/testing/watching.hpp>

#include <doctest/doctest.h>
#include <fixtures/composed.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace bilevel;
using network = nn::conv4<shape<28, 28, 1>, 64>;
using loss = objective::cross_entropy;

namespace {
const fixture::sizes size{.tasks = 1, .outputs = 5, .support = 5, .query = 5};
const fixture::inner_loop loop{.steps = 3, .step_size = 0.1};
constexpr std::size_t directions = 5;
}  // namespace

TEST_CASE("the unrolled hypergradient of Conv-4") {
    backend::cpu<double> backend;
    const fixture::episodes<double, network, loss> data(size);
    auto solver =
        maml(backend, task<network, loss>{.outputs = size.outputs}, {.inner = {.steps = loop.steps, .step_size = loop.step_size}});
    auto state = solver.initialise({.seed = 1});
    const auto x = fixture::parameters<network>(size.outputs);
    std::copy(x.begin(), x.end(), state.parameters.begin());
    const auto gradient = solver.hypergradient(state, data.all());

    std::vector<std::vector<double>> along;
    for (std::uint64_t i = 0; i < directions; ++i) along.push_back(testing::random_direction<network>(size.outputs, i));
    std::vector<double> ours;
    for (const auto& u : along) ours.push_back(std::inner_product(u.begin(), u.end(), gradient.vector.begin(), 0.0));
    // Relative to the largest of the five: one of them may nearly cancel.
    const double largest =
        std::abs(*std::max_element(ours.begin(), ours.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
    REQUIRE(largest > 1e-4);

    SUBCASE("against dual numbers, run through the whole composed map by plain loops") {
        const auto map = [](auto& composed, const auto& at) { return composed(at, loop); };
        for (std::size_t i = 0; i < directions; ++i) {
            const double expected = fixture::over_duals<network, loss>(size, x, along[i], map);
            MESSAGE("direction " << i << ": dF/dx . u = " << ours[i] << ", off from dual numbers by "
                                 << std::abs(ours[i] - expected) / largest);
            CHECK(std::abs(ours[i] - expected) / largest < 1e-12);
        }
    }

    SUBCASE("against central differences, with no sign and no arg-max switched") {
        using watching = testing::watching<backend::cpu_kernels<double>>;
        watching kernels;
        fixture::composed_map<watching, network, loss> composed(kernels, size);
        constexpr double h = 1e-6;
        for (std::size_t i = 0; i < directions; ++i) {
            const auto& u = along[i];
            std::vector<std::uint64_t> patterns;
            const auto f = [&](const std::vector<double>& at) {
                kernels.forget();
                const double value = composed(at, loop);
                patterns.push_back(kernels.pattern);
                return value;
            };
            f(x);
            const double difference = testing::central_difference<double>(f, x, u, h);
            // Where each pooled number comes from, and its sign: 3 · 5 support and 5 query images, 64 filters, four blocks.
            CHECK(kernels.branches == 20 * 2 * 64 * (14 * 14 + 7 * 7 + 3 * 3 + 1));
            CHECK(patterns == std::vector(3, patterns.front()));
            MESSAGE("direction " << i << ": off from its central difference by " << std::abs(ours[i] - difference) / largest);
            CHECK(std::abs(ours[i] - difference) / largest < 1e-6);
        }
    }
}
