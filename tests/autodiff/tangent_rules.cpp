// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Every tangent rule against the primal program over dual numbers, in one small unit: tests/autodiff/delete_each_call builds it once for each call that
// it takes out of a rule, and expects it to fail.
#include <bilevel/autodiff/dual.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/linear.hpp>
#include <bilevel/nn/network.hpp>
#include <bilevel/nn/pooling.hpp>
#include <bilevel/nn/rectifier.hpp>
#include <bilevel/nn/residual.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>
#include <fixtures/gradient_machine.hpp>
#include <fixtures/layer_program.hpp>

#include <vector>

using namespace bilevel;

namespace {
using image = shape<6, 6, 2>;
using pooled = shape<3, 3, 3>;
// Every primitive behind a squared error, its input moving too.
using everything =
    nn::sequential<nn::convolution<image, 3>, nn::batch_norm<shape<6, 6, 3>>, nn::leaky_relu<shape<6, 6, 3>>, nn::max_pool<shape<6, 6, 3>>,
                   nn::residual<nn::convolution<pooled, 3>>, nn::global_average_pool<pooled>, nn::linear<shape<3>, 4>>;
// Batch norm with what may follow it, over images of odd extents.
using normalised =
    nn::sequential<nn::convolution<shape<7, 6, 2>, 3>, nn::batch_norm<shape<7, 6, 3>, 1, 10, true>, nn::convolution<shape<3, 3, 3>, 3>,
                   nn::batch_norm_relu<shape<3, 3, 3>>, nn::global_average_pool<shape<3, 3, 3>>, nn::linear<shape<3>, 4>>;
using small = nn::network<nn::sequential<nn::linear<shape<3>, 4>>, nn::linear<shape<4>>>;

constexpr double exact = 1e-13;  // two routes to the same numbers that differ in the order of their sums

std::vector<dual<double>> moving(const std::vector<double>& at, const std::vector<double>& along) {
    std::vector<dual<double>> z(at.begin(), at.end());
    for (std::size_t i = 0; i < z.size(); ++i) z[i].derivative = along[i];
    return z;
}
std::vector<double> derivatives(const std::vector<dual<double>>& of) {
    std::vector<double> all;
    for (const auto& d : of) all.push_back(d.derivative);
    return all;
}
}  // namespace

TEST_CASE_TEMPLATE("the tangent rules of the layers and of the squared error", Layers, everything, normalised) {
    using program = fixture::layer_program<Layers>;
    const auto z = program::point(1), v = program::point(2);
    backend::reference<double> kernels;
    backend::reference<dual<double>> dual_kernels;
    typename program::template machine<backend::reference<double>> machine(kernels);
    typename program::template machine<backend::reference<dual<double>>> oracle(dual_kernels);
    machine.primal(z);
    const auto tangent = machine.tangent(v);
    const auto expected = oracle.primal(moving(z, v));
    CHECK(testing::relative_error(tangent.losses, derivatives(expected.losses)) < exact);
    CHECK(testing::relative_error(tangent.gradient, derivatives(expected.gradient)) < exact);
}

TEST_CASE("the tangent rules of the cross-entropy") {
    const fixture::sizes size{.tasks = 1, .outputs = 3, .support = 4};
    backend::reference<double> kernels;
    backend::reference<dual<double>> dual_kernels;
    fixture::gradient_machine<backend::reference<double>, small, objective::cross_entropy> machine(kernels, size);
    fixture::gradient_machine<backend::reference<dual<double>>, small, objective::cross_entropy> oracle(dual_kernels, size);
    const auto y = fixture::parameters<small>(3), v = testing::random_direction<small>(3, 1);
    machine.primal(y);
    const auto tangent = machine.tangent(v);
    const auto expected = oracle.primal(moving(y, v));
    CHECK(testing::relative_error(tangent.loss, expected.loss.derivative) < exact);
    CHECK(testing::relative_error(tangent.gradient, derivatives(expected.gradient)) < exact);
}
