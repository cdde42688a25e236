// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Every layer by the same laws, as a function of its input and of its parameters, in double.
#include <bilevel/autodiff/dual.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/flatten.hpp>
#include <bilevel/nn/identity.hpp>
#include <bilevel/nn/linear.hpp>
#include <bilevel/nn/pooling.hpp>
#include <bilevel/nn/rectifier.hpp>
#include <bilevel/nn/residual.hpp>
#include <bilevel/nn/sequential.hpp>
#include <bilevel/testing/finite_difference.hpp>
#include <bilevel/testing/laws.hpp>
#include <bilevel/testing/watching.hpp>

#include <doctest/doctest.h>
#include <fixtures/layer_program.hpp>

#include <numeric>
#include <vector>

using namespace bilevel;
using fixture::layer_program;
using testing::relative_error;

namespace {
// Two routes to the same number that differ in the order of their sums alone: some hundreds of roundings of 1e-16.
constexpr double exact = 1e-13;
// A central difference over long double with h = 1e-6 is off by h² times third derivatives, which batch norm on six numbers a channel makes large.
constexpr double by_differences = 1e-8;
constexpr long double h = 1e-6L;

template <class Scalar> std::vector<Scalar> cast(const std::vector<double>& v) { return {v.begin(), v.end()}; }
template <class V> auto sum(const V& v) { return std::accumulate(v.begin(), v.end(), typename V::value_type(0)); }

using image = shape<6, 5, 2>;
using block = nn::sequential<nn::convolution<image, 3>, nn::batch_norm<shape<6, 5, 3>>, nn::relu<shape<6, 5, 3>>,
                             nn::max_pool<shape<6, 5, 3>>, nn::flatten<shape<3, 2, 3>>, nn::linear<shape<18>, 4>>;
// A body with an activation inside, the image itself added; a body of one layer; one that ends in a residual, whose sum the outer one adds to.
using kept = nn::residual<nn::sequential<nn::convolution<image, 3>, nn::leaky_relu<shape<6, 5, 3>>, nn::convolution<shape<6, 5, 3>, 2>>>;
using widened =
    nn::residual<nn::convolution<image, 3, 2>, nn::sequential<nn::convolution_1x1<image, 3, 2>, nn::batch_norm<shape<3, 3, 3>>>>;
using nested =
    nn::residual<nn::sequential<nn::convolution_1x1<image, 2>, nn::residual<nn::batch_norm<image>, nn::convolution_1x1<image, 2>>>>;
}  // namespace

TYPE_TO_STRING(block);
TYPE_TO_STRING(kept);
TYPE_TO_STRING(widened);
TYPE_TO_STRING(nested);

TEST_CASE_TEMPLATE("layer", Layer, nn::convolution<image, 3>, nn::convolution<image, 3, 1, 0>, nn::convolution<image, 3, 2>,
                   nn::convolution<image, 2, 2, 0>, nn::convolution_1x1<image, 3>, nn::convolution<image, 2, 2, 2, 5>,
                   nn::batch_norm<image>, nn::relu<image>, nn::leaky_relu<image>, nn::max_pool<image>, nn::global_average_pool<image>,
                   nn::flatten<image>, nn::identity<image>, nn::linear<shape<7>, 4>, nn::linear<image, 3>, block, kept, widened, nested) {
    using program = layer_program<Layer>;
    const auto z = program::point(1), u = program::point(2), v = program::point(3);
    backend::reference<double> kernels;
    typename program::template machine<backend::reference<double>> machine(kernels);

    SUBCASE("<J v, w> = <v, J^T w>") {
        const auto jv = machine.forward_tangent(z, v);
        std::vector<double> w(jv.size());
        random::generator generator(5, random::purpose::user, 0);
        for (auto& element : w) element = generator.normal();
        CHECK(testing::adjoint_error(jv, w, v, machine.transposed(z, w)) < exact);
        CHECK(std::inner_product(jv.begin(), jv.end(), jv.begin(), 0.0) > 0.1);  // it does move
    }

    const auto primal = machine.primal(z);
    SUBCASE("the gradient is the central difference of the loss, with no branch taken anew") {
        testing::watching<backend::reference<long double>> watcher;
        typename program::template machine<testing::watching<backend::reference<long double>>> watched(watcher);
        std::vector<std::uint64_t> patterns;
        const auto loss = [&](const std::vector<long double>& at) {
            watcher.forget();
            const auto losses = watched.primal(at).losses;
            patterns.push_back(watcher.pattern);
            return sum(losses);
        };
        loss(cast<long double>(z));
        const long double difference = testing::central_difference<long double>(loss, cast<long double>(z), cast<long double>(u), h);
        CHECK(patterns == std::vector(3, patterns.front()));
        CHECK(relative_error(std::inner_product(u.begin(), u.end(), primal.gradient.begin(), 0.0), double(difference)) < by_differences);
    }

    SUBCASE("the tangent reading is the derivative of the primal one: over dual numbers, and by differences") {
        const auto tangent = machine.tangent(v);
        CHECK(machine.used_is_counted());

        backend::reference<dual<double>> dual_kernels;
        typename program::template machine<backend::reference<dual<double>>> over_duals(dual_kernels);
        auto moving = cast<dual<double>>(z);
        for (std::size_t i = 0; i < moving.size(); ++i) moving[i].derivative = v[i];
        const auto oracle = over_duals.primal(moving);
        std::vector<double> gradient, losses;
        for (const auto& g : oracle.gradient) gradient.push_back(g.derivative);
        for (const auto& l : oracle.losses) losses.push_back(l.derivative);
        CHECK(relative_error(tangent.gradient, gradient) < exact);
        CHECK(relative_error(tangent.losses, losses) < exact);
        CHECK(relative_error(sum(tangent.losses), std::inner_product(v.begin(), v.end(), primal.gradient.begin(), 0.0)) < exact);

        testing::watching<backend::reference<long double>> watcher;
        typename program::template machine<testing::watching<backend::reference<long double>>> watched(watcher);
        std::vector<std::uint64_t> patterns;
        const auto gradient_at = [&](long double step) {
            auto moved = cast<long double>(z);
            for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += step * v[i];
            watcher.forget();
            auto g = watched.primal(moved).gradient;
            patterns.push_back(watcher.pattern);
            return g;
        };
        auto difference = gradient_at(h);
        const auto low = gradient_at(-h);
        gradient_at(0);
        for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = (difference[i] - low[i]) / (2 * h);
        CHECK(patterns == std::vector(3, patterns.front()));
        CHECK(relative_error(tangent.gradient, std::vector<double>(difference.begin(), difference.end())) < by_differences);
    }

    SUBCASE("<u, H v> = <v, H u>") {
        const auto hv = machine.tangent(v).gradient, hu = machine.tangent(u).gradient;
        const double uhv = std::inner_product(u.begin(), u.end(), hv.begin(), 0.0),
                     vhu = std::inner_product(v.begin(), v.end(), hu.begin(), 0.0);
        CHECK(relative_error(uhv, vhu) < 1e-11);  // the sum may cancel
    }
}
