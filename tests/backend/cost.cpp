// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cost.hpp>

#include <doctest/doctest.h>

using namespace bilevel;

namespace {

template <class Scalar>
view<Scalar> null_view(integer tasks, integer batch, integer a, integer b = 1, integer c = 1, integer d = 1, bool shared = false) {
    return {nullptr, shared ? 0 : batch * a * b * c * d, tasks, batch, a * b * c * d, {a, b, c, d}};
}

TEST_CASE("cost: a convolution and its adjoints count the same products") {
    // 2 tasks, 5 images of 14 × 14 × 8, 3 × 3 kernels to 16 filters, stride 2: 7 × 7 pixels.
    const auto x = null_view<float>(2, 5, 14, 14, 8), y = null_view<float>(2, 5, 7, 7, 16), w = null_view<float>(2, 1, 3, 3, 8, 16);
    const double expected = 2.0 * 2 * 5 * 7 * 7 * 16 * 3 * 3 * 8;
    backend::cost<float> forward, data, weights;
    forward.conv2d(y, x, w, {2, 1}, false);
    data.conv2d_backward_data(x, y, w, {2, 1}, false);
    weights.conv2d_backward_weights(w, x, y, {2, 1}, false);
    CHECK(forward.flops == expected);
    CHECK(data.flops == expected);
    CHECK(weights.flops == expected);
    const double bytes = 4.0 * (2 * 5 * 14 * 14 * 8 + 2 * 5 * 7 * 7 * 16 + 2 * 9 * 8 * 16);
    CHECK(forward.bytes == bytes);
    CHECK(data.bytes == bytes);
    CHECK(weights.bytes == bytes);
}

TEST_CASE("cost: what is accumulated is read too, and what tasks share moves once") {
    const auto x = null_view<double>(3, 5, 64), y = null_view<double>(3, 5, 10), shared = null_view<double>(3, 1, 64, 10, 1, 1, true);
    backend::cost<double> overwrites, accumulates;
    overwrites.matmul(y, x, shared, false);
    accumulates.matmul(y, x, shared, true);
    CHECK(overwrites.flops == 2.0 * 3 * 5 * 64 * 10);
    CHECK(overwrites.bytes == 8.0 * (3 * 5 * 64 + 3 * 5 * 10 + 64 * 10));
    CHECK(accumulates.flops == overwrites.flops);
    CHECK(accumulates.bytes == overwrites.bytes + 8.0 * 3 * 5 * 10);
}

TEST_CASE("cost: a convolution with the moments of its result counts both, and does not read the result again") {
    const auto x = null_view<float>(2, 5, 14, 14, 8), y = null_view<float>(2, 5, 14, 14, 16), w = null_view<float>(2, 1, 3, 3, 8, 16),
               channel = null_view<float>(2, 1, 16);
    backend::cost<float> one, two;
    one.conv2d_moments(y, channel, channel, x, w, {1, 1}, 1e-5F);
    two.conv2d(y, x, w, {1, 1}, false);
    two.moments(channel, channel, y, 1e-5F);
    CHECK(one.flops == two.flops);
    CHECK(one.bytes == two.bytes - 4.0 * 2 * 5 * 14 * 14 * 16);
}

TEST_CASE("cost: weights transformed ahead are read once and written once, and spare no products") {
    const auto x = null_view<float>(1, 5, 4, 4, 320), y = null_view<float>(1, 5, 4, 4, 320), w = null_view<float>(1, 1, 3, 3, 320, 320),
               transformed = null_view<float>(1, 1, 16, 320 * 320 + 16);
    backend::cost<float> ahead, with, without;
    ahead.transform_weights(transformed, w, x, {1, 1}, false);
    CHECK(ahead.flops == 0);
    CHECK(ahead.bytes == 4.0 * (9 * 320 * 320 + 16 * (320 * 320 + 16)));
    with.conv2d(y, x, backend::convolution_weights<float>(w, transformed), {1, 1}, false);
    without.conv2d(y, x, w, {1, 1}, false);
    CHECK(with.flops == without.flops);
    CHECK(with.bytes == without.bytes);
}

TEST_CASE("cost: a tangent in one call counts the products of two, and its result once") {
    const auto x = null_view<float>(2, 5, 14, 14, 8), y = null_view<float>(2, 5, 7, 7, 16), w = null_view<float>(2, 1, 3, 3, 8, 16);
    backend::cost<float> one, two;
    one.conv2d_tangent(y, x, w, x, w, {2, 1});
    one.conv2d_backward_data_tangent(x, y, w, y, w, {2, 1});
    one.conv2d_backward_weights_tangent(w, x, y, x, y, {2, 1});
    for (const bool add : {false, true}) {
        two.conv2d(y, x, w, {2, 1}, add);
        two.conv2d_backward_data(x, y, w, {2, 1}, add);
        two.conv2d_backward_weights(w, x, y, {2, 1}, add);
    }
    CHECK(one.flops == two.flops);
    const double results = 4.0 * (2 * 5 * 14 * 14 * 8 + 2 * 5 * 7 * 7 * 16 + 2 * 9 * 8 * 16);
    CHECK(one.bytes == two.bytes - 2 * results);  // neither written nor read in between
}

TEST_CASE("cost: calls add up; arg-max positions are bytes") {
    backend::cost<float> cost;
    const auto x = null_view<float>(1, 2, 4, 4, 3), y = null_view<float>(1, 2, 2, 2, 3);
    cost.max_pool(y, null_view<std::uint8_t>(1, 2, 2, 2, 3), x);
    CHECK(cost.flops == 3.0 * 24);
    CHECK(cost.bytes == 4.0 * (96 + 24) + 24);
    cost.inner_products(nullptr, rows<const float>{nullptr, 8, 2, 8}, rows<const float>{nullptr, 8, 2, 8});
    CHECK(cost.flops == 3.0 * 24 + 2 * 16);
    CHECK(cost.bytes == 4.0 * (96 + 24) + 24 + 4 * 32);
}

}  // namespace
