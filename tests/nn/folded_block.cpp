// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Convolution and batch norm folded into one, as constant images are read, against the two layers one after the other, as moving images are: by other
// primitives, other memory and other tangent rules, the same function.
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/pooling.hpp>
#include <bilevel/nn/residual.hpp>
#include <bilevel/nn/sequential.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>
#include <fixtures/layer_program.hpp>

#include <algorithm>
#include <vector>

using namespace bilevel;

namespace {
using pooled = nn::sequential<nn::convolution<shape<9, 8, 2>, 19>, nn::batch_norm_relu_max_pool<shape<9, 8, 19>>,
                              nn::convolution<shape<4, 4, 19>, 3>, nn::batch_norm_relu<shape<4, 4, 3>>>;
using strided = nn::sequential<nn::convolution<shape<7, 8, 1>, 9, 2>, nn::batch_norm<shape<4, 4, 9>, 1, 10>>;
using linear_batch_norm = nn::sequential<nn::convolution<shape<5, 5, 1>, 16>, nn::batch_norm<shape<5, 5, 16>>>;
using with_shortcut = nn::sequential<nn::residual<nn::sequential<nn::convolution<shape<6, 6, 1>, 9>, nn::batch_norm<shape<6, 6, 9>>>,
                                                  nn::sequential<nn::convolution_1x1<shape<6, 6, 1>, 9>, nn::batch_norm<shape<6, 6, 9>>>>,
                                     nn::max_pool<shape<6, 6, 9>>>;

// The same program and the same images, once constant and once moving, of which the direction leaves them where they are.
template <class Layers> using folded = fixture::layer_program<Layers, activity::constant>;
template <class Layers> using apart = fixture::layer_program<Layers>;

std::vector<double> by_parameters(const std::vector<double>& z, integer first) { return {z.begin() + first, z.end()}; }

template <class Kernels, class Layers> void check(Kernels kernels) {
    const auto z = apart<Layers>::point(1);
    auto v = apart<Layers>::point(2);
    const integer first = apart<Layers>::parameters;
    std::fill_n(v.begin(), first, 0.0);
    typename folded<Layers>::template machine<Kernels> one(kernels);
    typename apart<Layers>::template machine<Kernels> other(kernels);
    const auto primal = one.primal(z);
    const auto expected = other.primal(z);
    const auto tangent = one.tangent(v);
    const auto expected_tangent = other.tangent(v);
    CHECK(one.used_is_counted());
    // Rounding: sums of some hundred products in another order, and the division by the variance.
    CHECK(testing::relative_error(primal.losses, expected.losses) < 1e-13);
    CHECK(testing::relative_error(by_parameters(primal.gradient, first), by_parameters(expected.gradient, first)) < 1e-12);
    CHECK(testing::relative_error(tangent.losses, expected_tangent.losses) < 1e-12);
    CHECK(testing::relative_error(by_parameters(tangent.gradient, first), by_parameters(expected_tangent.gradient, first)) < 1e-12);
    CHECK(std::all_of(primal.gradient.begin(), primal.gradient.begin() + first, [](double e) { return e == 0; }));
}
}  // namespace

TEST_CASE_TEMPLATE("a folded block is the convolution and the batch norm behind it", Layers, pooled, strided, linear_batch_norm,
                   with_shortcut) {
    check<backend::reference<double>, Layers>(backend::reference<double>{});
    check<backend::cpu_kernels<double>, Layers>(backend::cpu_kernels<double>{});
}

TEST_CASE("a folded block stores no result of the convolution") {
    // y and its positions alone, a quarter of it, beside arrays as small as the kernel.
    using layers = nn::sequential<nn::convolution<shape<64, 64, 1>, 16>, nn::batch_norm_relu_max_pool<shape<64, 64, 16>>>;
    const auto used = []<activity Images>(std::integral_constant<activity, Images>) {
        backend::cost<float> counter;
        workspace values, tangents;
        autodiff::evaluator<autodiff::reading::primal, backend::cost<float>> e{counter, values, tangents};
        const array<float, layers::input, Images> images{1, 8, 0, nullptr, 0, nullptr, 0};
        layers::forward(e, images, parameter_vector<float, activity::active>{nullptr, 0, nullptr, 0, 1, 0, nullptr, 0});
        return double(values.used());
    };
    const double convolved = 8.0 * 64 * 64 * 16 * sizeof(float);
    CHECK(used(std::integral_constant<activity, activity::constant>{}) < 0.35 * convolved);
    CHECK(used(std::integral_constant<activity, activity::active>{}) > 1.25 * convolved);
}

TEST_CASE("only constant images fold, under the statistics of the batch, where patches are not longer than the filters are many") {
    using kernels = backend::reference<double>;
    using batch = autodiff::evaluator<autodiff::reading::primal, kernels>;
    using running = autodiff::evaluator<autodiff::reading::primal, kernels, autodiff::normalisation::running>;
    using image = shape<8, 8, 1>;
    using constant = array<double, image>;
    using moving = array<double, image, activity::tangent>;
    using nn::detail::join_layers, nn::detail::joining;
    using first = nn::convolution<image, 9>;
    static_assert(join_layers<batch, constant, first, nn::batch_norm_relu<shape<8, 8, 9>>>() == joining::folded);
    static_assert(join_layers<batch, moving, first, nn::batch_norm_relu<shape<8, 8, 9>>>() == joining::normalised);
    static_assert(join_layers<running, constant, first, nn::batch_norm_relu<shape<8, 8, 9>>>() == joining::none);
    static_assert(join_layers<batch, constant, first, nn::max_pool<shape<8, 8, 9>>>() == joining::none);
    static_assert(join_layers<batch, constant, nn::convolution<image, 8>, nn::batch_norm_relu<shape<8, 8, 8>>>() == joining::normalised);
}
