// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// adapt, predict and evaluate against the same things done by hand.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/gradient_program.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace bilevel;
using objective::cross_entropy;
using network = fixture::two_blocks;

namespace {
const fixture::sizes size{.tasks = 2, .outputs = 3, .support = 6, .query = 9};
const task<network, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 3, .step_size = 0.2};
constexpr double exact = 1e-13;

// Loss, gradient and logits of a set, by the program alone.
template <class Network, class Loss> struct by_hand {
    using program = objective::gradient_program<Network, Loss, activity::adjoint, activity::adjoint>;
    double loss = 0;
    std::vector<double> gradient, logits;

    template <class Set> by_hand(const Set& set, std::vector<double> y) : gradient(y.size(), 0.0) {
        backend::reference<double> kernels;
        workspace values(program::template cost<autodiff::reading::primal, double>(1, set.count, size.outputs).values), none;
        const objective::examples_block<double, typename Loss::template target<double>> block{1, set.count, size.outputs, set.inputs,
                                                                                              set.targets};
        const rows<double> parameters{y.data(), 0, 1, integer(y.size())}, g{gradient.data(), 0, 1, integer(y.size())};
        const auto result = program::template read<autodiff::reading::primal>(kernels, block, {parameters, g}, values, none);
        loss = *result.loss.at(0);
        logits.assign(result.logits.at(0), result.logits.at(0) + set.count * size.outputs);
    }
};
template <class Network, class Loss, class Set>
std::vector<double> descended(const Set& support, std::vector<double> y, integer steps, std::size_t first) {
    for (integer k = 0; k < steps; ++k) {
        const auto g = by_hand<Network, Loss>(support, y).gradient;
        for (std::size_t i = first; i < y.size(); ++i) y[i] -= rule.step_size * g[i];
    }
    return y;
}
double distance(const std::vector<double>& a, const double* b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum;
}
}  // namespace

TEST_CASE("maml and anil adapt what they say, and predict with it") {
    backend::reference<double> backend;
    const fixture::episodes<double, network, cross_entropy> data(size);
    const auto check = [&](auto solver, std::size_t first) {
        const auto state = solver.initialise({.seed = 4});
        const std::vector<double> x(state.parameters.begin(), state.parameters.end());
        for (const integer steps : {integer(-1), integer(0), integer(7)}) {
            const auto adapted = solver.adapt(state, data.all(), {.inner_steps = steps});
            const auto logits = solver.logits(adapted, data.query_inputs.data(), size.query);
            const auto labels = solver.predict(adapted, data.query_inputs.data(), size.query);
            const auto accuracy = solver.evaluate(state, data.all(), {.inner_steps = steps});
            for (integer t = 0; t < size.tasks; ++t) {
                const auto only = data.only(t);
                const auto y = descended<network, cross_entropy>(only.support, x, steps < 0 ? rule.steps : steps, first);
                CHECK(distance(y, adapted.rows_of_tasks().row(t)) < exact);
                const auto expected = by_hand<network, cross_entropy>(only.query, y).logits;
                CHECK(distance(expected, logits.data() + t * size.query * size.outputs) < 1e-11);
                double correct = 0;
                for (integer i = 0; i < size.query; ++i) {
                    const auto row = expected.begin() + i * size.outputs;
                    const int label = int(std::max_element(row, row + size.outputs) - row);
                    CHECK(labels[std::size_t(t * size.query + i)] == label);
                    correct += label == only.query.targets[i];
                }
                CHECK(accuracy[std::size_t(t)] == doctest::Approx(correct / double(size.query)).epsilon(exact));
            }
        }
    };
    check(maml(backend, classification, {.inner = rule}), 0);
    check(anil(backend, classification, {.inner = rule}), std::size_t(network::body_size));
}

TEST_CASE("a regression is evaluated by its mean squared error") {
    using mean_squared_error = objective::mean_squared_error;
    backend::reference<double> backend;
    const fixture::episodes<double, fixture::smooth, mean_squared_error> data(size);
    auto solver = maml(backend, task<fixture::smooth, mean_squared_error>{.outputs = size.outputs}, {.inner = rule});
    const auto state = solver.initialise({.seed = 4});
    const auto errors = solver.evaluate(state, data.all());
    for (integer t = 0; t < size.tasks; ++t) {
        const auto y = descended<fixture::smooth, mean_squared_error>(data.only(t).support,
                                                                      {state.parameters.begin(), state.parameters.end()}, rule.steps, 0);
        CHECK(errors[std::size_t(t)] ==
              doctest::Approx(by_hand<fixture::smooth, mean_squared_error>(data.only(t).query, y).loss).epsilon(1e-12));
    }
}

TEST_CASE("mtl keeps the body and gives each task the head of a logistic regression on unit features") {
    backend::reference<double> backend;
    const fixture::episodes<double, network, cross_entropy> data(size);
    auto solver = mtl(backend, classification, size.classes);
    const auto state = solver.initialise({.seed = 4});
    const auto adapted = solver.adapt(state, data.all(), {.normalisation = autodiff::normalisation::batch});
    constexpr integer features = network::features::count();
    for (integer t = 0; t < size.tasks; ++t) {
        const double* y = adapted.rows_of_tasks().row(t);
        CHECK(std::equal(y, y + network::body_size, state.parameters.begin()));
        // The features: those of the same body under a head that is the identity on the first `outputs` of them, block after block.
        objective::logistic_regression::matrix z(size.support, features);
        for (integer from = 0; from < features; from += size.outputs) {
            std::vector<double> probe(state.parameters.begin(), state.parameters.begin() + network::body_size);
            probe.resize(std::size_t(network::size(size.outputs)), 0.0);
            for (integer j = 0; j < size.outputs && from + j < features; ++j)
                probe[std::size_t(network::body_size + (from + j) * size.outputs + j)] = 1;
            const auto read = by_hand<network, cross_entropy>(data.only(t).support, probe).logits;
            for (integer i = 0; i < size.support; ++i)
                for (integer j = 0; j < size.outputs && from + j < features; ++j) z(i, from + j) = read[std::size_t(i * size.outputs + j)];
        }
        z.rowwise().normalize();
        const auto only = data.only(t);
        const auto head =
            solver.problem().regression(z, std::vector<int>(only.support.targets, only.support.targets + size.support), size.outputs);
        double error = 0;
        for (integer p = 0; p < features; ++p)
            for (integer q = 0; q < size.outputs; ++q) error += std::abs(y[network::body_size + p * size.outputs + q] - head.weights(p, q));
        CHECK(error < 1e-9);
        for (integer q = 0; q < size.outputs; ++q)
            CHECK(y[network::body_size + padded(features * size.outputs) + q] == doctest::Approx(head.bias[q]).epsilon(1e-9));
    }
    // Prediction reads unit features too: on the support set, which the regression has fitted, the labels come out.
    const auto labels = solver.predict(adapted, data.support_inputs.data(), size.support);
    CHECK(labels == data.support_targets);
}

TEST_CASE("mtl: unit features are those of any multiple of the features whose square leaves the range of the scalar") {
    using mlp = nn::mlp<shape<6>, 8>;
    backend::reference<float> backend;
    fixture::episodes<float, mlp, cross_entropy> data(size);
    auto solver = mtl(backend, task<mlp, cross_entropy>{.outputs = size.outputs}, size.classes);
    const auto state = solver.initialise({.seed = 4});  // biases are zero: features are multiples of what inputs are
    const auto logits = [&] {
        const auto adapted = solver.adapt(state, data.all());
        return solver.logits(adapted, data.query_inputs.data(), size.query);
    };
    const auto usual = logits();
    for (const float factor : {0x1p100f, 0x1p-100f, 0x1p-100f}) {  // to 2^100, back to 1, to 2^-100
        for (auto* inputs : {&data.support_inputs, &data.query_inputs})
            for (float& x : *inputs) x *= factor;
        CHECK(logits() == usual);
    }
}
