// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// T tasks in one block give what each gives alone, bit for bit, whatever the policy: a policy's scalars are one a task, and no kernel mixes tasks.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/cross_entropy.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>
#include <fixtures/together.hpp>

#include <vector>

using namespace bilevel;
using objective::cross_entropy;
using network = fixture::two_blocks;

namespace {
const fixture::sizes size{.tasks = 3, .outputs = 3, .support = 6, .query = 9};
const task<network, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.1};

template <class Kernels, class Make> void check(Make make) {
    using scalar = typename Kernels::scalar;
    const fixture::episodes<scalar, network, cross_entropy> data(size);
    fixture::together<Kernels> backend;
    auto solver = make(backend);
    auto state = solver.initialise({.seed = 1});
    for (auto& element : state.parameters) element *= scalar(1.5);

    const auto block = solver.hypergradient(state, data.all());
    const std::vector<task_outcome> outcomes(block.report.tasks.begin(), block.report.tasks.end());
    aligned_vector<scalar> sum(block.vector.size(), scalar(0));
    const integer length = integer(sum.size());
    for (integer t = 0; t < size.tasks; ++t) {
        const auto alone = solver.hypergradient(state, data.only(t));
        // As the solver adds them: a batch of one task gives its gradient times one.
        backend.only.add_scaled(rows<scalar>{sum.data(), 0, 1, length}, scalar(1) / scalar(size.tasks),
                                rows<const scalar>{alone.vector.data(), 0, 1, length});
        const auto& a = alone.report.tasks[0];
        const auto& b = outcomes[std::size_t(t)];
        CHECK(a.loss == b.loss);
        CHECK(a.accuracy == b.accuracy);
        CHECK(a.first_inner_loss == b.first_inner_loss);
        CHECK(a.last_inner_loss == b.last_inner_loss);
        CHECK(a.inner_gradient_norm == b.inner_gradient_norm);
        CHECK(a.linear_residual == b.linear_residual);
        CHECK(a.linear_iterations == b.linear_iterations);
    }
    CHECK(sum == block.vector);
}
}  // namespace

TYPE_TO_STRING(backend::reference<double>);
TYPE_TO_STRING(backend::cpu_kernels<float>);

TEST_CASE_TEMPLATE("tasks together and alone", Kernels, backend::reference<double>, backend::cpu_kernels<float>) {
    using hypergradient::planes;
    SUBCASE("maml, planes kept") {
        check<Kernels>([](auto& b) { return maml(b, classification, {.inner = rule}); });
    }
    SUBCASE("maml, planes recomputed") {
        check<Kernels>([](auto& b) { return maml(b, classification, {.inner = rule, .hypergradient = {.planes = planes::recomputed}}); });
    }
    SUBCASE("fomaml") {
        check<Kernels>([](auto& b) { return fomaml(b, classification, {.inner = rule}); });
    }
    SUBCASE("imaml") {
        check<Kernels>([](auto& b) {
            return imaml(b, classification, 50.0,
                         {.inner = {.steps = 3, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 5}}});
        });
    }
    SUBCASE("anil") {
        check<Kernels>([](auto& b) { return anil(b, classification, {.inner = rule}); });
    }
    SUBCASE("mtl") {
        check<Kernels>([](auto& b) { return mtl(b, classification, size.classes); });
    }
}

TEST_CASE("adapted networks and their logits, together and alone") {
    using scalar = float;
    const fixture::episodes<scalar, network, cross_entropy> data(size);
    fixture::together<backend::cpu_kernels<scalar>> backend;
    const auto check_adaptation = [&](auto solver) {
        const auto state = solver.initialise({.seed = 1});
        const auto all = solver.adapt(state, data.all());
        const auto logits = solver.logits(all, data.query_inputs.data(), size.query);
        std::vector<scalar> one_by_one;
        for (integer t = 0; t < size.tasks; ++t) {
            const auto alone = solver.adapt(state, data.only(t));
            const auto z = solver.logits(alone, data.only(t).query.inputs, size.query);
            one_by_one.insert(one_by_one.end(), z.begin(), z.end());
        }
        CHECK(logits == one_by_one);
    };
    check_adaptation(maml(backend, classification, {.inner = rule}));
    check_adaptation(anil(backend, classification, {.inner = rule}));
    check_adaptation(mtl(backend, classification, size.classes));
}
