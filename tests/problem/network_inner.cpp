// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What a network computes of the support images alone: once for each set of them, however many steps, linearizations and products read it.
#include <bilevel/backend/cpu.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/problem/network_inner.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <algorithm>
#include <vector>

using namespace bilevel;

namespace {
struct counting_kernels : backend::cpu_kernels<double> {
    integer computed = 0;
    void patch_moments(view<double> mean, view<double> covariance, view<const double> x, backend::convolution_geometry geometry) {
        ++computed;
        backend::cpu_kernels<double>::patch_moments(mean, covariance, x, geometry);
    }
};
using network = fixture::two_blocks;  // its first block folds
using data = fixture::episodes<double, network, objective::cross_entropy>;

/// A network's inner objective on the support set of either of two tasks.
struct on_two_tasks {
    data tasks{fixture::sizes{}};
    integer size = network::size(tasks.size.outputs);
    workspace memory{bytes_of_rows<double>(4, 1, size)};
    rows<double> y = take_rows<double>(memory, 1, size), g = take_rows<double>(memory, 1, size), v = take_rows<double>(memory, 1, size),
                 h = take_rows<double>(memory, 1, size);
    counting_kernels kernels;
    problem::network_inner<counting_kernels, network, objective::cross_entropy> inner{
        1, tasks.size.support, tasks.size.outputs, {.slots = 2, .second_order = true}};

    on_two_tasks() {
        std::ranges::copy(fixture::parameters<network>(tasks.size.outputs, 1), y.data);
        std::ranges::copy(fixture::parameters<network>(tasks.size.outputs, 2), v.data);
    }
    void bind(integer task) {
        const auto support = tasks.only(task).support;
        inner.bind({1, support.count, tasks.size.outputs, support.inputs, support.targets});
    }
    std::vector<double> gradient() {
        inner.gradient(kernels, y, g);
        return {g.data, g.data + size};
    }
    std::vector<double> product() {
        inner.linearize(kernels, 1, y, g);
        inner.along(kernels, 1, v, h);
        return {h.data, h.data + size};
    }
};
}  // namespace

TEST_CASE("an inner loop computes the moments of a support set's patches once") {
    on_two_tasks s;
    for (const integer sets : {1, 2, 3}) {
        s.bind(sets % 2);
        for (int step = 0; step < 3; ++step) s.gradient();
        for (int slot = 0; slot < 2; ++slot) s.inner.linearize(s.kernels, slot, s.y, s.g);
        for (int slot = 0; slot < 2; ++slot) s.inner.along(s.kernels, slot, s.v, s.h);
        CHECK(s.kernels.computed == sets);
    }
}

TEST_CASE("what was kept of one support set is not taken for another's, in whatever order they come") {
    const auto alone = [](integer task, auto program) {
        on_two_tasks s;
        s.bind(task);
        return program(s);
    };
    const auto gradient = [](on_two_tasks& s) { return s.gradient(); };
    const auto product = [](on_two_tasks& s) { return s.product(); };
    REQUIRE(alone(0, gradient) != alone(1, gradient));
    on_two_tasks s;
    for (const integer task : {0, 1, 1, 0}) {
        s.bind(task);
        CHECK(s.gradient() == alone(task, gradient));
        CHECK(s.product() == alone(task, product));
        CHECK(s.gradient() == alone(task, gradient));
    }
}
