// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The gradient program of whole networks: its readings against each other, against dual numbers and against differences, for both losses and for the
// activities that the problems use.
#include <bilevel/autodiff/dual.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/nn/flatten.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/head_program.hpp>
#include <bilevel/objective/mean_squared_error.hpp>
#include <bilevel/testing/finite_difference.hpp>
#include <bilevel/testing/watching.hpp>

#include <doctest/doctest.h>
#include <fixtures/gradient_machine.hpp>
#include <fixtures/networks.hpp>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <vector>

using namespace bilevel;
using testing::relative_error;

namespace {
constexpr double exact = 1e-12;  // other orders of sums, through batch norms on few numbers a channel
constexpr double by_differences = 1e-7;  // h² times third derivatives, over long double
constexpr long double h = 1e-6L;

template <class Network, class Loss> struct subject {
    using network = Network;
    using loss = Loss;
};
using pooled = nn::conv4<shape<16, 16, 1>, 4>;
using strided = nn::conv4_strided<shape<12, 12, 1>, 6>;
using mlp = nn::mlp<shape<3>, 8, 7>;
using classification = subject<pooled, objective::cross_entropy>;
using image_regression = subject<strided, objective::mean_squared_error>;
using regression = subject<mlp, objective::mean_squared_error>;
using residual_classification = subject<fixture::two_residual_blocks, objective::cross_entropy>;

template <class S> auto dot(const std::vector<S>& a, const std::vector<S>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), S(0));
}

const fixture::sizes size{.tasks = 1, .outputs = 5, .support = 10};
}  // namespace

TYPE_TO_STRING(classification);
TYPE_TO_STRING(image_regression);
TYPE_TO_STRING(regression);
TYPE_TO_STRING(residual_classification);

TEST_CASE_TEMPLATE("gradient program", Subject, classification, image_regression, regression, residual_classification) {
    using network = typename Subject::network;
    using loss = typename Subject::loss;
    using kernels_type = backend::reference<double>;
    kernels_type kernels;
    fixture::gradient_machine<kernels_type, network, loss> machine(kernels, size);
    const auto y = fixture::parameters<network>(size.outputs);
    const auto u = testing::random_direction<network>(size.outputs, 1), v = testing::random_direction<network>(size.outputs, 2);
    const auto primal = machine.primal(y);
    CHECK(machine.values_used() == machine.template cost<autodiff::reading::primal>().values);
    const auto along_u = machine.tangent(u), along_v = machine.tangent(v);
    const auto bill = machine.template cost<autodiff::reading::tangent>();
    CHECK(machine.values_used() == bill.values);
    CHECK(machine.tangents_used() == bill.tangents);

    CHECK(relative_error(dot(u, along_v.gradient), dot(v, along_u.gradient)) < exact);
    CHECK(relative_error(along_u.loss, dot(primal.gradient, u)) < exact);
    // What lies between the parameter arrays is zero in every plane.
    double between = 0;
    std::vector<bool> is_parameter(y.size(), false);
    for (const auto& part : network::layout(size.outputs)) std::fill_n(is_parameter.begin() + part.offset, part.count(), true);
    for (std::size_t i = 0; i < y.size(); ++i)
        if (!is_parameter[i]) between += std::abs(y[i]) + std::abs(primal.gradient[i]) + std::abs(along_u.gradient[i]);
    CHECK(between == 0);

    backend::reference<dual<double>> dual_kernels;
    fixture::gradient_machine<backend::reference<dual<double>>, network, loss> over_duals(dual_kernels, size);
    std::vector<dual<double>> moving(y.begin(), y.end());
    for (std::size_t i = 0; i < y.size(); ++i) moving[i].derivative = u[i];
    const auto oracle = over_duals.primal(moving);
    std::vector<double> expected;
    for (const auto& g : oracle.gradient) expected.push_back(g.derivative);
    CHECK(relative_error(along_u.gradient, expected) < exact);
    CHECK(relative_error(along_u.loss, oracle.loss.derivative) < exact);

    using watching = testing::watching<backend::reference<long double>>;
    watching watcher;
    fixture::gradient_machine<watching, network, loss> watched(watcher, size);
    std::vector<std::uint64_t> patterns;
    const auto at = [&](long double step) {
        auto moved = fixture::cast<long double>(y);
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += step * u[i];
        watcher.forget();
        auto result = watched.primal(moved);
        patterns.push_back(watcher.pattern);
        return result;
    };
    const auto high = at(h), low = at(-h), middle = at(0);
    CHECK(patterns == std::vector(3, patterns.front()));
    CHECK(watcher.branches > 0);
    CHECK(relative_error(double((high.loss - low.loss) / (2 * h)), dot(primal.gradient, u)) < by_differences);
    std::vector<double> difference;
    for (std::size_t i = 0; i < y.size(); ++i) difference.push_back(double((high.gradient[i] - low.gradient[i]) / (2 * h)));
    CHECK(relative_error(along_u.gradient, difference) < by_differences);
}

namespace {
template <class Program> void check_cost_of_tasks() {
    const auto check = [](const backend::bill& one, const backend::bill& three) {
        CHECK(three.flops == 3 * one.flops);
        CHECK(three.bytes == 3 * one.bytes);
    };
    check(Program::template cost<autodiff::reading::primal, float>(1, 10, 5),
          Program::template cost<autodiff::reading::primal, float>(3, 10, 5));
    check(Program::template cost<autodiff::reading::tangent, float>(1, 10, 5),
          Program::template cost<autodiff::reading::tangent, float>(3, 10, 5));
}
}  // namespace

TEST_CASE("three tasks, each with parameters of its own, cost three times one") {
    check_cost_of_tasks<objective::gradient_program<pooled, objective::cross_entropy>>();
    check_cost_of_tasks<objective::gradient_program<mlp, objective::mean_squared_error>>();
    check_cost_of_tasks<objective::head_program<pooled, objective::cross_entropy>>();
}

TEST_CASE("what does not move is not differentiated, and what is wanted is") {
    using network = strided;
    using loss = objective::cross_entropy;
    using kernels_type = backend::reference<double>;
    kernels_type kernels;
    constexpr integer cut = network::body_size;
    fixture::gradient_machine<kernels_type, network, loss> all(kernels, size);
    const auto y = fixture::parameters<network>(size.outputs);
    // A direction of the head alone.
    auto v = testing::random_direction<network>(size.outputs, 3);
    std::fill(v.begin(), v.begin() + cut, 0.0);
    const auto primal = all.primal(y), tangent = all.tangent(v);
    const auto body_of = [](const std::vector<double>& g) { return std::vector<double>(g.begin(), g.begin() + cut); };
    const auto head_of = [](const std::vector<double>& g) { return std::vector<double>(g.begin() + cut, g.end()); };
    const auto nothing_in = [](const std::vector<double>& g) { return std::all_of(g.begin(), g.end(), [](double e) { return e == 0; }); };

    SUBCASE("gradient alone: the same bits, no tangent, less memory") {
        fixture::gradient_machine<kernels_type, network, loss, activity::adjoint, activity::adjoint> plain(kernels, size);
        const auto result = plain.primal(y);
        CHECK(result.gradient == primal.gradient);
        CHECK(result.loss == primal.loss);
        CHECK(plain.tangents_used() == 0);
    }
    SUBCASE("a frozen body: the head's gradient and product, and nothing else") {
        fixture::gradient_machine<kernels_type, network, loss, activity::constant, activity::active> frozen(kernels, size);
        const auto result = frozen.primal(y), along = frozen.tangent(v);
        CHECK(nothing_in(body_of(result.gradient)));
        CHECK(nothing_in(body_of(along.gradient)));
        CHECK(head_of(result.gradient) == head_of(primal.gradient));
        CHECK(relative_error(head_of(along.gradient), head_of(tangent.gradient)) < exact);
        CHECK(frozen.cost<autodiff::reading::tangent>().flops < 0.01 * all.cost<autodiff::reading::tangent>().flops);
    }
    SUBCASE("a body that does not move but is wanted: the mixed product") {
        fixture::gradient_machine<kernels_type, network, loss, activity::adjoint, activity::active> mixed(kernels, size);
        const auto result = mixed.primal(y), along = mixed.tangent(v);
        CHECK(relative_error(result.gradient, primal.gradient) < exact);
        CHECK(relative_error(along.gradient, tangent.gradient) < exact);
        CHECK_FALSE(nothing_in(body_of(along.gradient)));
        CHECK(mixed.cost<autodiff::reading::tangent>().flops < 0.8 * all.cost<autodiff::reading::tangent>().flops);
    }
}

TEST_CASE("a Hessian-vector product costs about two gradients") {
    backend::reference<double> kernels;
    fixture::gradient_machine<backend::reference<double>, pooled, objective::cross_entropy> machine(kernels, size);
    const double gradient = machine.cost<autodiff::reading::primal>().flops, product = machine.cost<autodiff::reading::tangent>().flops;
    CHECK(product > 1.5 * gradient);
    CHECK(product < 2.2 * gradient);
}
