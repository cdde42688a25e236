// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// ResNet-12 from outside: its parameters by name, how they begin, where its batch norms leave their statistics, and what a gradient costs.
#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/core/rows.hpp>
#include <bilevel/nn/prediction.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/objective/body_program.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/gradient_program.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

using namespace bilevel;

namespace {
using paper = nn::resnet12<shape<84, 84, 3>>;
using small = nn::resnet12<shape<16, 16, 3>, 8, 8, 16, 16>;

static_assert(std::is_same_v<paper::features, shape<640>>);
static_assert(std::is_same_v<paper::body::layer<2>::output, shape<42, 42, 64>> &&
              std::is_same_v<paper::body::layer<11>::output, shape<5, 5, 640>>);

// 3 × 3 convolutions, the 1 × 1 convolution, gains and shifts of four batch norms.
constexpr integer block(integer in, integer width) { return 9 * (in + 2 * width) * width + in * width + 4 * 2 * width; }
constexpr integer of_body = block(3, 64) + block(64, 160) + block(160, 320) + block(320, 640);
static_assert(of_body == 12'424'320 && paper::count(5) == of_body + 640 * 5 + 5);

TEST_CASE("resnet12: the parameters, by name") {
    const auto layout = small::layout(5);
    std::vector<std::string> names;
    for (const auto& part : layout) names.push_back(part.name);
    const std::vector<std::string> first{
        "block_1.convolution_1.weight",          "block_1.batch_norm_1.gain",          "block_1.batch_norm_1.shift",
        "block_1.convolution_2.weight",          "block_1.batch_norm_2.gain",          "block_1.batch_norm_2.shift",
        "block_1.convolution_3.weight",          "block_1.batch_norm_3.gain",          "block_1.batch_norm_3.shift",
        "block_1.shortcut.convolution_1.weight", "block_1.shortcut.batch_norm_1.gain", "block_1.shortcut.batch_norm_1.shift",
        "block_2.convolution_1.weight"};
    REQUIRE(names.size() == 4 * 12 + 2);
    CHECK(std::equal(first.begin(), first.end(), names.begin()));
    CHECK(names[47] == "block_4.shortcut.batch_norm_1.shift");
    CHECK(names[48] == "head.weight");
    CHECK(names[49] == "head.bias");
    CHECK(std::set(names.begin(), names.end()).size() == names.size());

    integer offset = 0;
    for (const auto& part : layout) {
        CHECK(part.offset == offset);
        offset += padded(part.count());
    }
    CHECK(offset == small::size(5));
    CHECK(layout[48].offset == small::body_size);
    const auto& shortcut = layout[3 * 12 + 9];
    CHECK(shortcut.extents == std::vector<integer>{1, 1, 16, 16});
    CHECK(shortcut.axes == "height,width,in,out");
}

TEST_CASE("resnet12: how it begins") {
    std::vector<double> parameters(std::size_t(small::size(5)), -1), statistics(std::size_t(small::statistics_size), -1);
    small::initialise(parameters.data(), 5, 1);
    for (const auto& part : small::layout(5)) {
        const auto begin = parameters.begin() + part.offset, end = begin + part.count();
        CAPTURE(part.name);
        if (part.name.ends_with(".gain")) {
            CHECK(std::all_of(begin, end, [](double e) { return e == 1; }));
        } else if (part.name.ends_with(".weight")) {
            CHECK(std::all_of(begin, end, [](double e) { return e != 0; }));
        } else {
            CHECK(std::all_of(begin, end, [](double e) { return e == 0; }));
        }
    }
    // Mean 0 and variance 1 of each of sixteen batch norms, the shortcut's behind those of its body.
    small::initialise_statistics(statistics.data());
    std::vector<double> expected;
    for (const integer width : {8, 8, 16, 16})
        for (int norm = 0; norm < 4; ++norm)
            for (const double value : {0.0, 1.0}) expected.insert(expected.end(), std::size_t(padded(width)), value);
    CHECK(statistics == expected);
}

TEST_CASE("resnet12: with the statistics that a batch has left, it sees that batch as it did") {
    using kernels_type = backend::reference<double>;
    constexpr integer images = 5, outputs = 3;
    kernels_type kernels;
    random::generator generator(1, random::purpose::user, 0);
    std::vector<double> inputs(std::size_t(images * small::input::count())), x(std::size_t(small::size(outputs))),
        statistics(std::size_t(small::statistics_size), 0.0);
    for (double& element : inputs) element = generator.uniform(-1, 1);
    small::initialise(x.data(), outputs, 1);
    const rows<const double> parameters{x.data(), 0, 1, small::size(outputs)};
    const rows<double> left{statistics.data(), 0, 1, small::statistics_size};

    objective::body_program<kernels_type, small> body(1, images);
    const auto features = body.forward(kernels, 1, images, inputs.data(), parameters, left);
    nn::prediction<kernels_type, small> prediction(1, images, outputs);
    const auto again = prediction(kernels, inputs.data(), parameters, left, autodiff::normalisation::running, false).features;
    const std::vector<double> expected(features.values, features.values + features.per_task()),
        seen(again.at(0), again.at(0) + features.per_task());
    CHECK(testing::relative_error(seen, expected) < 1e-12);  // the variance has been to 1/sqrt(v + epsilon) and back
}

TEST_CASE("resnet12: a gradient costs its convolutions three times, but for the adjoint of the image") {
    constexpr integer images = 50;
    double forward = 0, first = 0;
    integer side = 84, in = 3;
    for (const integer width : {64, 160, 320, 640}) {
        const double taps = 2.0 * double(images * side * side * width) * double(9 * (in + 2 * width) + in);
        if (in == 3) first = 2.0 * double(images * side * side * width) * 10 * 3;
        forward += taps;
        side /= 2;
        in = width;
    }
    const auto bill = objective::gradient_program<paper, objective::cross_entropy, activity::adjoint,
                                                  activity::adjoint>::cost<autodiff::reading::primal, float>(1, images, 64);
    CHECK(bill.flops > 3 * forward - first);
    CHECK(bill.flops < 1.01 * (3 * forward - first));
    CHECK(bill.tangents == 0);
    MESSAGE("50 images of 84 x 84: " << bill.flops / 1e9 << " GFLOP, " << bill.bytes / 1e9 << " GB, workspace " << double(bill.values) / 1e9
                                     << " GB");
}

}  // namespace
