// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cpu.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace bilevel;
using backend::convolution_algorithm;

namespace {

constexpr integer images = 3, channels = 32, filters = 32;

/// The same images, as they follow a rectifier, and the same weights in both scalars.
struct arguments {
    integer side;
    std::vector<float> x, w;

    explicit arguments(integer of_side) : side(of_side) {
        std::mt19937 random(7);
        std::normal_distribution<float> normal;
        for (integer i = 0; i < images * side * side * channels; ++i) x.push_back(std::max(0.0F, normal(random)));
        for (integer i = 0; i < 9 * channels * filters; ++i) w.push_back(normal(random) / std::sqrt(9.0F * channels));
    }

    template <class Scalar> std::vector<Scalar> convolved(convolution_algorithm algorithm, bool to_the_images = false) const {
        const std::vector<Scalar> from(x.begin(), x.end()), weights(w.begin(), w.end());
        std::vector<Scalar> to(std::size_t(images * side * side * filters));
        backend::cpu_kernels<Scalar> kernels;
        kernels.pin(algorithm);
        const view<Scalar> y{to.data(), 0, 1, images, side * side * filters, {side, side, filters}};
        const view<const Scalar> image{from.data(), 0, 1, images, side * side * channels, {side, side, channels}},
            kernel{weights.data(), 0, 1, 1, 9 * channels * filters, {3, 3, channels, filters}};
        to_the_images ? kernels.conv2d_backward_data(y, image, kernel, {1, 1}, false) : kernels.conv2d(y, image, kernel, {1, 1}, false);
        return to;
    }

    /// The root mean square of what an algorithm in float misses.
    double error(convolution_algorithm algorithm, bool to_the_images) const {
        const auto exact = convolved<double>(convolution_algorithm::direct, to_the_images);
        const auto found = convolved<float>(algorithm, to_the_images);
        double sum = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) sum += (exact[i] - double(found[i])) * (exact[i] - double(found[i]));
        return std::sqrt(sum / double(exact.size()));
    }
};

// Over 24 576 sums of 288 products: 0.8 and 2.3 times the error of sums by definition. The usual points of F(4×4), 1 and 2 in the place of 5/8 and 3/2, would
// give 5.7.
TEST_CASE("convolution: Winograd's algorithms round as their documentation says") {
    const arguments given(16);
    for (const bool to_the_images : {false, true}) {
        const double definition = given.error(convolution_algorithm::direct, to_the_images);
        CHECK(given.error(convolution_algorithm::winograd_2x2, to_the_images) < 1.3 * definition);
        const double of_4x4 = given.error(convolution_algorithm::winograd_4x4, to_the_images);
        CHECK(of_4x4 < 3 * definition);
        CHECK(of_4x4 > 1.5 * definition);  // it is what runs
    }
}

TEST_CASE("convolution: F(4x4) leaves small images and large matrices to the automatic choice") {
    const auto same = [](integer side) {
        const arguments given(side);
        return given.convolved<float>(convolution_algorithm::winograd_4x4) == given.convolved<float>(convolution_algorithm::automatic);
    };
    CHECK(same(3));
    CHECK_FALSE(same(4));
    CHECK(backend::winograd<float, 4>::pays(4, 4, 320, 320));
    CHECK_FALSE(backend::winograd<float, 4>::pays(4, 4, 352, 352));
    CHECK_FALSE(backend::winograd<double, 4>::pays(4, 4, 256, 256));
}

}  // namespace
