// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

#include <cstdint>
#include <vector>

using namespace bilevel;
using conformance::argument;

namespace {

struct block {
    integer batch, height, width, channels, filters, kernel_height, kernel_width, stride, padding;
    bool pooled;
    double slope;

    backend::convolution_geometry geometry() const { return {stride, padding}; }
    integer rows() const { return geometry().output_extent(height, kernel_height); }
    integer columns() const { return geometry().output_extent(width, kernel_width); }
    integer patch() const { return kernel_height * kernel_width * channels; }
    integer positions() const { return batch * rows() * columns(); }
    argument image() const { return {batch, {height, width, channels}}; }
    argument kernel(bool shared = false, bool positive = false) const {
        return {1, {kernel_height, kernel_width, channels, filters}, shared, positive};
    }
    argument result() const { return {batch, {pooled ? rows() / 2 : rows(), pooled ? columns() / 2 : columns(), filters}}; }
    argument of_patch(bool positive = false) const { return {1, {kernel_height, kernel_width, channels}, false, positive}; }
    argument covariance(bool positive = false) const { return {1, {patch(), patch()}, false, positive}; }
    argument by_filter(bool shared = false, bool positive = false) const { return {1, {filters}, shared, positive}; }
    template <class K> auto follows(K&) const { return backend::activation<typename K::scalar>{typename K::scalar(float(slope))}; }
};

// One position; patches longer than a vector; filters that no tile divides; more positions than a block of moments, and more rows than a strip;
// odd extents under pooling; every stride and padding.
const block cases[] = {{1, 1, 1, 1, 3, 1, 1, 1, 0, false, 1},     {2, 3, 2, 1, 5, 3, 3, 1, 1, true, 0},
                       {7, 5, 7, 3, 17, 3, 3, 1, 1, true, 0.1},   {5, 9, 6, 2, 33, 3, 3, 2, 1, false, 0},
                       {3, 14, 13, 3, 32, 3, 3, 1, 1, true, 0},   {1, 28, 27, 1, 64, 3, 3, 1, 1, true, 0},
                       {2, 7, 4, 5, 7, 2, 3, 1, 2, false, 0.1},   {3, 6, 5, 3, 16, 1, 1, 1, 0, false, 1},
                       {2, 24, 20, 2, 48, 3, 3, 1, 0, true, 0.1}, {2, 13, 11, 2, 5, 3, 3, 2, 1, true, 0.1}};

TEST_CASE("folded: the moments of patches are what the reference gives") {
    for (const block& c : cases)
        for (const integer tasks : {1, 4}) {
            CAPTURE(c.height);
            CAPTURE(c.channels);
            conformance::check<backend::reference<float>, FOLDED_KERNELS_UNDER_TEST>(
                tasks, c.positions() + 8, {c.of_patch(), c.covariance()}, {c.image()},
                [&](auto& k, auto out, auto in, auto) { k.patch_moments(out[0], out[1], in[0], c.geometry()); },
                conformance::nan::may_spread);
        }
}

TEST_CASE_TEMPLATE("folded: pixels that hardly vary around a large mean keep their covariance", Kernels, backend::reference<float>,
                   FLOAT_KERNELS_UNDER_TEST) {
    // The mean of the products less the product of the means would lose all digits of 1/4 beside 4096².
    Kernels kernels;
    float x[600], mean[1], covariance[1];
    for (int i = 0; i < 600; ++i) x[i] = 4096.0f + (i % 2 == 0 ? 0.5f : -0.5f);
    kernels.patch_moments({mean, 0, 1, 1, 1, {1, 1, 1}}, {covariance, 0, 1, 1, 1, {1, 1}}, {x, 0, 1, 6, 100, {10, 10, 1}}, {1, 0});
    CHECK(mean[0] == 4096);
    CHECK(covariance[0] == 0.25f);
}

TEST_CASE("folded: the kernels of the weights give what the reference gives") {
    const auto from = []<class K>(K&, auto w, auto gain, auto mean, auto r, auto v) {
        return backend::folded<typename K::scalar>{w, gain, mean, r, v};
    };
    for (const block& c : cases)
        for (const integer tasks : {1, 4}) {
            CAPTURE(c.height);
            CAPTURE(c.filters);
            const integer terms = c.patch() * c.patch() + 16;  // a sum in a sum, then some operations on each element
            const argument w = c.kernel(), of_filter = c.by_filter();
            // A variance wᵀCw is positive where all of its terms are.
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {w, of_filter, of_filter, of_filter, w},
                {c.kernel(true, true), c.by_filter(true), c.by_filter(true), c.of_patch(), c.covariance(true)},
                [&](auto& k, auto out, auto in, auto) {
                    using scalar = typename std::remove_reference_t<decltype(k)>::scalar;
                    k.fold_batch_norm(out[0], out[1], out[2], out[3], out[4], in[0], in[1], in[2], in[3], in[4], scalar(1e-3f));
                });
            const std::vector<argument> of{c.kernel(true), c.by_filter(true), of_filter, c.by_filter(false, true), w};
            const auto with = [&](std::vector<argument> more) {
                more.insert(more.begin(), of.begin(), of.end());
                return more;
            };
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {w, of_filter, of_filter, of_filter, w}, with({w, of_filter, of_filter, c.of_patch(), c.covariance()}),
                [&](auto& k, auto out, auto in, auto) {
                    k.fold_batch_norm_tangent(out[0], out[1], out[2], out[3], out[4], from(k, in[0], in[1], in[2], in[3], in[4]), in[5],
                                              in[6], in[7], in[8], in[9]);
                });
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {w, of_filter, of_filter}, with({w, of_filter, c.of_patch()}), [&](auto& k, auto out, auto in, auto) {
                    k.fold_batch_norm_backward(out[0], out[1], out[2], in[5], in[6], from(k, in[0], in[1], in[2], in[3], in[4]), in[7]);
                });
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {w, of_filter, of_filter},
                with({w, of_filter, of_filter, of_filter, w, w, of_filter, w, of_filter, c.of_patch()}),
                [&](auto& k, auto out, auto in, auto) {
                    k.fold_batch_norm_backward_tangent(out[0], out[1], out[2], in[10], in[11], in[12], in[13],
                                                       from(k, in[0], in[1], in[2], in[3], in[4]),
                                                       from(k, in[5], in[6], in[7], in[8], in[9]), in[14]);
                });
            // Where the parameters do not move, theirs are tangents of no elements.
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {w, of_filter, of_filter}, with({w, of_filter, w, of_filter, c.of_patch()}),
                [&](auto& k, auto out, auto in, auto) {
                    k.fold_batch_norm_backward_tangent(out[0], out[1], out[2], in[5], in[6], in[7], in[8],
                                                       from(k, in[0], in[1], in[2], in[3], in[4]), {}, in[9]);
                });
        }
}

TEST_CASE("folded: the convolution with what follows it gives what the reference gives") {
    for (const block& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool shared : {false, true}) {
                CAPTURE(c.height);
                CAPTURE(c.filters);
                CAPTURE(c.pooled);
                CAPTURE(shared);
                const argument y = c.result(), w = c.kernel(shared), bias = c.by_filter(shared);
                // Positions of the maxima, the same for every backend; none where nothing is pooled.
                const conformance::numbers<std::uint8_t> at(tasks, y.batch * y.size(), 4, 9);
                const auto from = [&](auto s) { return c.pooled ? at.of(s, y.batch, y.extents) : view<const std::uint8_t>{}; };
                std::vector<std::uint8_t> found(std::size_t(tasks * y.batch * y.size()));
                const auto to = [&](auto s) {
                    auto v = from(s);
                    return view<std::uint8_t>{found.data(), v.stride, v.tasks, v.batch, v.size, {v.extents[0], v.extents[1], v.extents[2]}};
                };
                conformance::check<backend::reference<float>, FOLDED_KERNELS_UNDER_TEST>(
                    tasks, c.patch() + 4, {y}, {c.image(), w, bias},
                    [&](auto& k, auto out, auto in, auto s) {
                        k.conv2d_activation(out[0], to(s), in[0], in[1], in[2], c.geometry(), c.follows(k));
                    },
                    conformance::nan::may_spread);
                conformance::check<backend::reference<float>, FOLDED_KERNELS_UNDER_TEST>(
                    tasks, c.patch() + 4, {y}, {c.image(), w, bias, y},
                    [&](auto& k, auto out, auto in, auto s) {
                        k.conv2d_activation_tangent(out[0], in[3], from(s), in[0], in[1], in[2], c.geometry(), c.follows(k));
                    },
                    conformance::nan::may_spread);
                conformance::check<backend::reference<float>, FOLDED_KERNELS_UNDER_TEST>(
                    tasks, c.positions() + 4, {c.kernel(), c.by_filter()}, {c.image(), y, y},
                    [&](auto& k, auto out, auto in, auto s) {
                        k.conv2d_activation_backward(out[0], out[1], in[1], in[2], from(s), in[0], c.geometry(), c.follows(k));
                    },
                    conformance::nan::may_spread);
            }
}

TEST_CASE_TEMPLATE("folded: pooling takes the first of equal maxima", Kernels, backend::reference<double>, FOLDED_KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar x[] = {1, 3, 3, 2, -1, -2, -3, -1};  // two windows of one channel, of 2 x 4 pixels: (1 3; -1 -2) and (3 2; -3 -1)
    scalar y[2];
    std::uint8_t argmax[2];
    const auto run = [&](scalar weight) {
        const scalar bias = 0;
        kernels.conv2d_activation({y, 0, 1, 1, 2, {1, 2, 1}}, {argmax, 0, 1, 1, 2, {1, 2, 1}}, {x, 0, 1, 1, 8, {2, 4, 1}},
                                  {&weight, 0, 1, 1, 1, {1, 1, 1, 1}}, {&bias, 0, 1, 1, 1, {1}}, {1, 0}, {scalar(0)});
    };
    run(1);
    CHECK((y[0] == 3 && argmax[0] == 1 && y[1] == 3 && argmax[1] == 0));
    run(-1);
    CHECK((y[0] == 2 && argmax[0] == 3 && y[1] == 3 && argmax[1] == 2));
    run(0);
    CHECK((y[0] == 0 && argmax[0] == 0 && y[1] == 0 && argmax[1] == 0));
}

}  // namespace
