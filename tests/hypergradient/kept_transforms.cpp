// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Convolutions of many channels, whose weights the cpu backend transforms once for a gradient and the products at its point: by whatever policy the
// hypergradient is that of kernels that transform nothing.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <string>

using namespace bilevel;
using hypergradient::planes;
using objective::cross_entropy;
using testing::relative_error;

namespace {
// One wide convolution before a batch norm, and one by itself.
using image = shape<4, 4, 320>;
using wide =
    nn::network<nn::sequential<nn::convolution<shape<4, 4, 3>, 320>, nn::batch_norm<image, 1, 10>, nn::convolution<image, 320>,
                               nn::batch_norm<image, 1, 10>, nn::residual<nn::convolution<image, 320>>, nn::global_average_pool<image>>,
                nn::linear<shape<320>>>;
constexpr integer transforms_at_a_point = 2 * 2;  // of both, for the images and for their gradient

struct counting : backend::cpu_kernels<double>, backend::single_worker<counting> {
    using scalar = double;
    using kernels = counting;
    using backend::single_worker<counting>::for_each_block;  // before that of the kernels, which is of something else
    integer transforms = 0;
    void transform_weights(auto... arguments) {
        ++transforms;
        backend::cpu_kernels<double>::transform_weights(arguments...);
    }
    std::string describe() const { return "counting, 1 thread"; }
};
static_assert(backend::weight_transforming_kernels<counting>);
static_assert(!backend::weight_transforming_kernels<backend::reference<double>>);

const fixture::sizes size{.tasks = 2, .outputs = 3, .support = 3, .query = 3};
const task<wide, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.1};

template <class Solver> auto hypergradient_of(Solver solver) {
    const fixture::episodes<double, wide, cross_entropy> data(size);
    static const auto state = solver.initialise({.seed = 1});  // two million normal numbers
    return solver.hypergradient(state, data.all()).vector;
}
// Two orders above the roundings of sums over 2880 weights, each algorithm in an order of its own.
constexpr double rounding = 1e-11;
}  // namespace

TEST_CASE("maml reads transformed weights where the last gradient left them, and transforms those of another point again") {
    counting kept, recomputed, direct;
    direct.pin(backend::convolution_algorithm::direct);
    const auto make = [](auto& backend, planes which) {
        return hypergradient_of(maml(backend, classification, {.inner = rule, .hypergradient = {.planes = which}}));
    };
    const auto of_kept = make(kept, planes::kept), of_recomputed = make(recomputed, planes::recomputed);
    CHECK(relative_error(of_kept, make(direct, planes::kept)) < rounding);
    CHECK(of_recomputed == of_kept);
    // The gradient of each step, and the product of each but the last one, whose gradient was the last.
    CHECK(kept.transforms == size.tasks * (rule.steps + rule.steps - 1) * transforms_at_a_point);
    CHECK(recomputed.transforms == size.tasks * rule.steps * transforms_at_a_point);
}

TEST_CASE("imaml transforms weights once for all products at the solution") {
    const auto make = [](auto& backend) {
        return hypergradient_of(imaml(backend, classification, 10.0, {.inner = rule, .hypergradient = {.linear = {.iterations = 2}}}));
    };
    counting counted, direct;
    direct.pin(backend::convolution_algorithm::direct);
    CHECK(relative_error(make(counted), make(direct)) < rounding);
    CHECK(counted.transforms == size.tasks * transforms_at_a_point);
}

TEST_CASE("nothing is transformed ahead where no product follows") {
    counting counted;
    hypergradient_of(fomaml(counted, classification, {.inner = rule}));
    CHECK(counted.transforms == 0);
}
