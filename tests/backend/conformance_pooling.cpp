// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

#include <bilevel/autodiff/dual.hpp>

using namespace bilevel;
using conformance::argument;

namespace {

struct pooling {
    integer batch, height, width, channels;
    argument image() const { return {batch, {height, width, channels}}; }
    argument pooled() const { return {batch, {height / 2, width / 2, channels}}; }
    argument mean() const { return {batch, {channels}}; }
};

const pooling cases[] = {{1, 2, 2, 1}, {7, 3, 5, 3}, {2, 4, 2, 33}, {5, 7, 7, 64}, {3, 2, 9, 17}};

TEST_CASE_TEMPLATE("pooling: the kernels give what the reference gives", Kernels, backend::reference<float>, KERNELS_UNDER_TEST) {
    for (const pooling& c : cases)
        for (const integer tasks : {1, 4}) {
            CAPTURE(c.height);
            CAPTURE(c.channels);
            const integer count = c.batch * c.pooled().size();
            const std::vector<integer> extents = c.pooled().extents;
            const conformance::numbers<std::uint8_t> positions(tasks, count, 4, 5);
            conformance::check<Kernels>(
                tasks, 1, {c.pooled(), c.pooled()}, {c.image()}, [&](auto& k, auto out, auto in, conformance::slice s) {
                    std::vector<std::uint8_t> argmax(static_cast<std::size_t>(s.tasks * count), 9);
                    view<std::uint8_t> a{argmax.data(), count, s.tasks, c.batch, count / c.batch, {extents[0], extents[1], extents[2]}};
                    k.max_pool(out[0], a, in[0]);
                // The positions, as a second result.
                    for (integer t = 0; t < s.tasks; ++t)
                        for (integer i = 0; i < count; ++i) out[1].at(t)[i] = static_cast<float>(a.at(t)[i]);
                });
            conformance::check<Kernels>(tasks, 1, {c.pooled()}, {c.image()}, [&](auto& k, auto out, auto in, conformance::slice s) {
                k.max_pool_gather(out[0], in[0], positions.of(s, c.batch, extents));
            });
            conformance::check<Kernels>(tasks, 1, {c.image()}, {c.pooled()}, [&](auto& k, auto out, auto in, conformance::slice s) {
                k.max_pool_scatter(out[0], in[0], positions.of(s, c.batch, extents));
            });
            conformance::check<Kernels>(tasks, c.height * c.width, {c.mean()}, {c.image()},
                                        [&](auto& k, auto out, auto in, auto) { k.average_pool(out[0], in[0]); });
            conformance::check<Kernels>(tasks, 1, {c.image()}, {c.mean()},
                                        [&](auto& k, auto out, auto in, auto) { k.average_pool_backward(out[0], in[0]); });
        }
}

TEST_CASE_TEMPLATE("pooling: scatter is the transpose of gather, and the means have theirs", Kernels, backend::reference<double>,
                   KERNELS_UNDER_TEST) {
    for (const pooling& c : cases) {
        const integer tasks = 2;
        const conformance::numbers<std::uint8_t> positions(tasks, c.batch * c.pooled().size(), 4, 6);
        const std::vector<integer> extents = c.pooled().extents;
        conformance::check_adjoint<Kernels>(
            tasks, c.batch * c.pooled().size(), c.image(), c.pooled(),
            [&](auto& k, auto y, auto x, auto s) { k.max_pool_gather(y, x, positions.of(s, c.batch, extents)); },
            [&](auto& k, auto x, auto y, auto s) { k.max_pool_scatter(x, y, positions.of(s, c.batch, extents)); });
        conformance::check_adjoint<Kernels>(
            tasks, c.image().size(), c.image(), c.mean(), [&](auto& k, auto y, auto x, auto) { k.average_pool(y, x); },
            [&](auto& k, auto x, auto y, auto) { k.average_pool_backward(x, y); });
    }
}

TEST_CASE_TEMPLATE("pooling: the first of equal maxima wins, the first NaN before any number", Kernels, backend::reference<double>,
                   KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    const scalar nan = std::numeric_limits<scalar>::quiet_NaN();
    struct window {
        scalar pixels[4];
        int expected;
    };
    const window windows[] = {{{1, 1, 1, 1}, 0},     {{0, 1, 1, 0}, 1},     {{0, 0, 1, 1}, 2},       {{-3, -2, -2, -1}, 3},
                              {{1, nan, 5, nan}, 1}, {{nan, 9, 9, nan}, 0}, {{5, 4, 3, nan}, 3},     {{nan, nan, nan, nan}, 0},
                              {{0, -0.0f, 0, 0}, 0}, {{7, 3, nan, 8}, 2},   {{-1, -1, -1, -0.5f}, 3}};
    // The windows beside each other as channels: a whole vector and a rest.
    constexpr integer channels = 11;
    scalar image[4 * channels], y[channels];
    std::uint8_t argmax[channels];
    for (integer q = 0; q < channels; ++q)
        for (integer k = 0; k < 4; ++k) image[k * channels + q] = windows[q].pixels[k];
    Kernels kernels;
    kernels.max_pool({y, 0, 1, 1, channels, {1, 1, channels}}, {argmax, 0, 1, 1, channels, {1, 1, channels}},
                     {image, 0, 1, 1, 4 * channels, {2, 2, channels}});
    for (integer q = 0; q < channels; ++q) {
        CAPTURE(q);
        CHECK(int(argmax[q]) == windows[q].expected);
        CHECK(conformance::same_bits(y[q], windows[q].pixels[windows[q].expected]));
    }
}

TEST_CASE("pooling: max_pool_gather is the derivative of max_pool") {
    const pooling c{3, 5, 4, 3};
    conformance::plane<double> x(c.image(), 1, 1), dx(c.image(), 1, 2), dy(c.pooled(), 1, 3);
    std::vector<dual<double>> moving, result(static_cast<std::size_t>(dy.per_task()));
    for (integer i = 0; i < x.per_task(); ++i) moving.push_back({x.at(0, i), dx.at(0, i)});
    std::vector<std::uint8_t> argmax(result.size());
    backend::reference<dual<double>> over_duals;
    backend::reference<double> kernels;
    over_duals.max_pool({result.data(), 0, 1, 3, 12, {2, 2, 3}}, {argmax.data(), 0, 1, 3, 12, {2, 2, 3}},
                        {moving.data(), 0, 1, 3, 60, {5, 4, 3}});
    kernels.max_pool_gather(dy.of({0, 1}), dx.of({0, 1}), {argmax.data(), 0, 1, 3, 12, {2, 2, 3}});
    for (integer i = 0; i < dy.per_task(); ++i) CHECK(result[static_cast<std::size_t>(i)].derivative == dy.at(0, i));
}

}  // namespace
