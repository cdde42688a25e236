// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda/convolution_for_cudnn.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

using namespace bilevel;
using rule = backend::cudnn_rule;

namespace {
struct layer {
    integer tasks, batch, side, channels, filters, kernel = 3, padding = 1, stride = 1;

    backend::convolution_geometry geometry() const { return {stride, padding}; }
    integer out() const { return geometry().output_extent(side, kernel); }
    static view<const float> plane(integer tasks, integer batch, integer height, integer width, integer channels) {
        const integer size = height * width * channels;
        return {nullptr, batch * size, tasks, batch, size, {height, width, channels}};
    }
    view<const float> x() const { return plane(tasks, batch, side, side, channels); }
    view<const float> y() const { return plane(tasks, batch, out(), out(), filters); }
    view<const float> w(bool shared) const {
        const integer size = kernel * kernel * channels * filters;
        return {nullptr, shared ? 0 : size, tasks, 1, size, {kernel, kernel, channels, filters}};
    }

    bool is_taken(bool shared = true) const { return rule::takes(x(), y(), w(shared), geometry()); }
    bool has_gradient_taken() const { return rule::takes_gradient(w(false), x(), y(), geometry()); }
};
}  // namespace

TEST_CASE("cudnn: the weights' order and back") {
    constexpr integer height = 3, width = 2, channels = 5, filters = 4, patch = height * width * channels;
    constexpr backend::on_device::filter_order order{patch, filters};
    std::vector<float> ours(std::size_t(patch * filters)), turned(ours.size()), back(ours.size(), 1), sum;
    for (std::size_t i = 0; i < ours.size(); ++i) ours[i] = float(i);
    const backend::on_device::to_cudnn_order<float> turn{order, ours.data(), turned.data()};
    for (integer i = 0; i < patch * filters; ++i) turn(i);
    for (integer f = 0, i = 0; f < filters; ++f)
        for (integer u = 0; u < height; ++u)
            for (integer v = 0; v < width; ++v)
                for (integer c = 0; c < channels; ++c, ++i)
                    CHECK(turned[std::size_t(i)] == ours[std::size_t(((u * width + v) * channels + c) * filters + f)]);

    sum = ours;
    for (integer i = 0; i < patch * filters; ++i) {
        backend::on_device::from_cudnn_order<float>{order, turned.data(), back.data(), false}(i);
        backend::on_device::from_cudnn_order<float>{order, turned.data(), sum.data(), true}(i);
    }
    CHECK(back == ours);
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(sum[i] == 2 * ours[i]);
    static_assert(order(0) == 0 && order(1) == filters && order(patch) == 1);
}

TEST_CASE("cudnn: it takes the layers of ResNet-12 behind the first one, where tasks share their weights") {
    const integer side[] = {84, 42, 21, 10}, filters[] = {64, 160, 320, 640};
    for (int block = 0; block < 4; ++block) {
        const integer before = block == 0 ? 3 : filters[block - 1], after = filters[block];
        for (const integer tasks : {1, 32}) {
            const layer first{tasks, 75, side[block], before, after}, next{tasks, 75, side[block], after, after},
                shortcut{tasks, 75, side[block], before, after, 1, 0};
            CHECK(first.is_taken() == (block > 0));
            CHECK(shortcut.is_taken() == (block > 0));
            CHECK(next.is_taken());
            CHECK(next.is_taken(false) == (tasks == 1));
            CHECK(first.has_gradient_taken() == (block > 1));
            CHECK(next.has_gradient_taken() == (block > 1));
            CHECK(!shortcut.has_gradient_taken());
        }
    }
}

TEST_CASE("cudnn: what it does not take") {
    CHECK(!layer{2, 5, 8, 6, 16}.is_taken());  // channels and filters that are no vectors
    CHECK(!layer{2, 5, 8, 16, 6}.is_taken());
    CHECK(!layer{2, 0, 8, 16, 16}.is_taken());
    CHECK(!layer{2, 5, 0, 16, 16, 1, 0}.is_taken());
    CHECK(!layer{2, 5, 8, 16, 16, 1, 1}.is_taken());
    CHECK(!layer{2, 5, 8, 16, 16, 3, 3}.is_taken());
    CHECK(layer{2, 5, 8, 16, 16, 3, 2}.is_taken());
    CHECK(layer{2, 5, 8, 16, 16, 3, 1, 2}.is_taken());
    CHECK(!layer{2, 5, 8, 160, 160}.has_gradient_taken());
    CHECK(!layer{2, 0, 8, 640, 640}.has_gradient_taken());
}

TEST_CASE("cudnn: tasks of a call") {
    const auto tasks = [](const layer& of, integer gap_of_x = 0, integer gap_of_y = 0) {
        auto x = of.x(), y = of.y();
        x.stride += gap_of_x;
        y.stride += gap_of_y;
        return rule::tasks_of_call(x, y);
    };
    CHECK(tasks({32, 75, 84, 64, 64}) == 32);
    CHECK(tasks({64, 75, 84, 64, 64}) == 63);  // with less than 2³¹ elements
    CHECK(tasks({32, 75, 84, 64, 64}, 16) == 1);
    CHECK(tasks({32, 75, 84, 64, 64}, 0, 16) == 1);
    CHECK(tasks({32, 5000, 84, 64, 64}) == 0);
    CHECK(tasks({1, 75, 84, 64, 64}, 16) == 1);
    CHECK(tasks({0, 75, 84, 64, 64}) == 0);
}

TEST_CASE("cudnn: arrays whose tasks begin at vectors") {
    alignas(16) float numbers[8] = {};
    const auto is_aligned = [&](integer first, integer stride, integer tasks) {
        return rule::is_aligned(view<float>{numbers + first, stride, tasks, 1, 4, {1, 1, 4}});
    };
    CHECK(is_aligned(0, 4, 2));
    CHECK(is_aligned(4, 5, 1));
    CHECK(is_aligned(0, 0, 2));
    CHECK(!is_aligned(0, 5, 2));
    CHECK(!is_aligned(1, 4, 1));
}
