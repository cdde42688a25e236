// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// No call of a tangent reading can be left out unseen: kernels that skip one call, tried for every call of a network's tangent reading in turn.
// (tests/autodiff/delete_each_call does the same to the source of the rules, and takes minutes.)
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/residual.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/mean_squared_error.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>
#include <fixtures/gradient_machine.hpp>
#include <fixtures/networks.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace bilevel;

namespace {
struct skipping : backend::reference<double> {
    using kernels = skipping;
    using base = backend::reference<double>;
    integer skipped = -1;  // the number of the call that does nothing
    std::vector<std::string> calls;

    void conv2d(auto... a) {
        unless_skipped("conv2d", [&] { base::conv2d(a...); });
    }
    void conv2d_backward_data(auto... a) {
        unless_skipped("conv2d_backward_data", [&] { base::conv2d_backward_data(a...); });
    }
    void conv2d_backward_weights(auto... a) {
        unless_skipped("conv2d_backward_weights", [&] { base::conv2d_backward_weights(a...); });
    }
    void matmul(auto... a) {
        unless_skipped("matmul", [&] { base::matmul(a...); });
    }
    void matmul_backward_data(auto... a) {
        unless_skipped("matmul_backward_data", [&] { base::matmul_backward_data(a...); });
    }
    void matmul_backward_weights(auto... a) {
        unless_skipped("matmul_backward_weights", [&] { base::matmul_backward_weights(a...); });
    }
    void add_bias(auto... a) {
        unless_skipped("add_bias", [&] { base::add_bias(a...); });
    }
    void sum_over_batch(auto... a) {
        unless_skipped("sum_over_batch", [&] { base::sum_over_batch(a...); });
    }
    void rectify(auto... a) {
        unless_skipped("rectify", [&] { base::rectify(a...); });
    }
    void rectify_backward(auto... a) {
        unless_skipped("rectify_backward", [&] { base::rectify_backward(a...); });
    }
    void max_pool(auto... a) {
        unless_skipped("max_pool", [&] { base::max_pool(a...); });
    }
    void max_pool_gather(auto... a) {
        unless_skipped("max_pool_gather", [&] { base::max_pool_gather(a...); });
    }
    void max_pool_scatter(auto... a) {
        unless_skipped("max_pool_scatter", [&] { base::max_pool_scatter(a...); });
    }
    void average_pool(auto... a) {
        unless_skipped("average_pool", [&] { base::average_pool(a...); });
    }
    void average_pool_backward(auto... a) {
        unless_skipped("average_pool_backward", [&] { base::average_pool_backward(a...); });
    }
    void moments(auto... a) {
        unless_skipped("moments", [&] { base::moments(a...); });
    }
    void moments_tangent(auto... a) {
        unless_skipped("moments_tangent", [&] { base::moments_tangent(a...); });
    }
    void batch_norm(auto... a) {
        unless_skipped("batch_norm", [&] { base::batch_norm(a...); });
    }
    void batch_norm_tangent(auto... a) {
        unless_skipped("batch_norm_tangent", [&] { base::batch_norm_tangent(a...); });
    }
    void batch_norm_sums(auto... a) {
        unless_skipped("batch_norm_sums", [&] { base::batch_norm_sums(a...); });
    }
    void batch_norm_sums_tangent(auto... a) {
        unless_skipped("batch_norm_sums_tangent", [&] { base::batch_norm_sums_tangent(a...); });
    }
    void batch_norm_backward_tangent(auto... a) {
        unless_skipped("batch_norm_backward_tangent", [&] { base::batch_norm_backward_tangent(a...); });
    }
    void batch_norm_backward(auto... a) {
        unless_skipped("batch_norm_backward", [&] { base::batch_norm_backward(a...); });
    }
    void patch_moments(auto... a) {
        unless_skipped("patch_moments", [&] { base::patch_moments(a...); });
    }
    void fold_batch_norm(auto... a) {
        unless_skipped("fold_batch_norm", [&] { base::fold_batch_norm(a...); });
    }
    void fold_batch_norm_tangent(auto... a) {
        unless_skipped("fold_batch_norm_tangent", [&] { base::fold_batch_norm_tangent(a...); });
    }
    void fold_batch_norm_backward(auto... a) {
        unless_skipped("fold_batch_norm_backward", [&] { base::fold_batch_norm_backward(a...); });
    }
    void fold_batch_norm_backward_tangent(auto... a) {
        unless_skipped("fold_batch_norm_backward_tangent", [&] { base::fold_batch_norm_backward_tangent(a...); });
    }
    void conv2d_activation(auto... a) {
        unless_skipped("conv2d_activation", [&] { base::conv2d_activation(a...); });
    }
    void conv2d_activation_tangent(auto... a) {
        unless_skipped("conv2d_activation_tangent", [&] { base::conv2d_activation_tangent(a...); });
    }
    void conv2d_activation_backward(auto... a) {
        unless_skipped("conv2d_activation_backward", [&] { base::conv2d_activation_backward(a...); });
    }
    void softmax_cross_entropy(auto... a) {
        unless_skipped("softmax_cross_entropy", [&] { base::softmax_cross_entropy(a...); });
    }
    void softmax_tangent(auto... a) {
        unless_skipped("softmax_tangent", [&] { base::softmax_tangent(a...); });
    }
    void cross_entropy_tangent(auto... a) {
        unless_skipped("cross_entropy_tangent", [&] { base::cross_entropy_tangent(a...); });
    }
    void cross_entropy_backward(auto... a) {
        unless_skipped("cross_entropy_backward", [&] { base::cross_entropy_backward(a...); });
    }
    void squared_error(auto... a) {
        unless_skipped("squared_error", [&] { base::squared_error(a...); });
    }
    void squared_error_tangent(auto... a) {
        unless_skipped("squared_error_tangent", [&] { base::squared_error_tangent(a...); });
    }
    void scale(auto... a) {
        unless_skipped("scale", [&] { base::scale(a...); });
    }
    void add_scaled(auto... a) {
        unless_skipped("add_scaled", [&] { base::add_scaled(a...); });
    }

private:
    template <class F> void unless_skipped(const char* name, F f) {
        const bool skip = integer(calls.size()) == skipped;
        calls.push_back(name);
        if (!skip) f();
    }
};

// The network of the other tests, with a shortcut and with the mean over positions: every kernel of a tangent reading. The first block folds with
// nine filters, as many as its patches have elements, and not with four.
template <integer Filters>
using network =
    nn::network<nn::sequential<nn::convolution<shape<8, 8, 1>, Filters>, nn::batch_norm_relu_max_pool<shape<8, 8, Filters>>,
                               nn::residual<nn::sequential<nn::convolution<shape<4, 4, Filters>, 5>, nn::batch_norm<shape<4, 4, 5>>>,
                                            nn::convolution_1x1<shape<4, 4, Filters>, 5>>,
                               nn::leaky_relu<shape<4, 4, 5>>, nn::max_pool<shape<4, 4, 5>>, nn::global_average_pool<shape<2, 2, 5>>>,
                nn::linear<shape<5>>>;
const fixture::sizes size{.tasks = 1, .outputs = 3, .support = 4};
template <class Network, class Loss> struct with {
    using network = Network;
    using loss = Loss;
};
}  // namespace

using plain_and_cross_entropy = with<network<4>, objective::cross_entropy>;
using folded_and_cross_entropy = with<network<9>, objective::cross_entropy>;
using folded_and_squared_error = with<network<9>, objective::mean_squared_error>;

TEST_CASE_TEMPLATE("skip each call", With, plain_and_cross_entropy, folded_and_cross_entropy, folded_and_squared_error) {
    using network = typename With::network;
    skipping kernels;
    fixture::gradient_machine<skipping, network, typename With::loss> machine(kernels, size);
    const auto y = fixture::parameters<network>(size.outputs);
    const auto v = testing::random_direction<network>(size.outputs, 1), another = testing::random_direction<network>(size.outputs, 2);
    machine.primal(y);
    const auto tangent = [&](integer skip) {
        // What a skipped call leaves in its place is what another direction had there, never the right numbers of a run before.
        kernels.skipped = -1;
        machine.tangent(another);
        kernels.skipped = skip;
        kernels.calls.clear();
        return machine.tangent(v);
    };
    const auto right = tangent(-1);
    const auto names = kernels.calls;
    REQUIRE(names.size() > 30);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto wrong = tangent(integer(i));
        const double error = testing::relative_error(wrong.gradient, right.gradient),
                     of_loss = testing::relative_error(wrong.loss, right.loss);
        INFO("call " << i << " of " << names.size() << ": " << names[i]);
        // The tests of the rules allow 1e-13.
        CHECK(!(std::max(error, of_loss) < 1e-6));
    }
    MESSAGE(names.size() << " calls of the tangent reading, each missed when it is left out");
}
