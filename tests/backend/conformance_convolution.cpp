// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"
#include "transformed_ahead.hpp"

#include <bilevel/backend/primitives.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace bilevel;
using conformance::argument;

namespace {

struct convolution {
    integer batch, height, width, channels, filters, kernel_height, kernel_width, stride, padding;

    backend::convolution_geometry geometry() const { return {stride, padding}; }
    argument image() const { return {batch, {height, width, channels}}; }
    argument weights(bool shared) const { return {1, {kernel_height, kernel_width, channels, filters}, shared}; }
    argument output() const {
        return {batch, {geometry().output_extent(height, kernel_height), geometry().output_extent(width, kernel_width), filters}};
    }
    integer patch() const { return kernel_height * kernel_width * channels; }
    integer pixels() const { return output().size() / filters * batch; }
};

// One pixel; sides, channels and filters that no tile divides; batches of one and prime; every stride and padding; kernels that are not square or
// larger than the image; channels and filters that are whole vectors, in one block of tiles
// or panel of channels and in several; more images than a cache holds.
const convolution cases[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0},     {1, 1, 1, 3, 5, 3, 3, 1, 1},     {2, 1, 1, 2, 3, 3, 3, 1, 2},   {7, 5, 5, 1, 17, 3, 3, 1, 1},
    {7, 5, 7, 3, 4, 3, 3, 2, 1},     {1, 14, 13, 5, 33, 3, 3, 3, 1},  {3, 6, 9, 2, 3, 3, 3, 2, 0},   {2, 7, 4, 19, 7, 3, 3, 1, 2},
    {5, 4, 6, 3, 2, 1, 1, 1, 0},     {5, 5, 6, 3, 2, 1, 1, 2, 1},     {2, 9, 7, 3, 4, 5, 2, 2, 2},   {1, 28, 27, 16, 16, 3, 3, 1, 1},
    {5, 14, 14, 33, 31, 3, 3, 2, 1}, {1, 1, 1, 16, 16, 3, 3, 1, 1},   {5, 3, 3, 16, 32, 3, 3, 1, 1}, {7, 4, 4, 32, 16, 3, 3, 1, 1},
    {3, 7, 6, 16, 48, 3, 3, 1, 1},   {2, 2, 13, 64, 32, 3, 3, 1, 1},  {5, 4, 4, 16, 16, 3, 3, 2, 1}, {5, 10, 9, 32, 32, 3, 3, 1, 1},
    {2, 4, 5, 112, 72, 3, 3, 1, 1},  {11, 14, 14, 40, 8, 3, 3, 2, 1},
};

#if defined(BILEVEL_CONFORMANCE_OF_THRUST) || defined(BILEVEL_CONFORMANCE_OF_CUDA)
#define EVERY_ALGORITHM CONVOLUTION_KERNELS_UNDER_TEST
#else
// The algorithms of the cpu backend, whatever it would choose by itself.
template <class Scalar, backend::convolution_algorithm Algorithm> struct pinned : backend::cpu_kernels<Scalar> {
    pinned() { this->pin(Algorithm); }
};
using enum backend::convolution_algorithm;
#define EVERY_ALGORITHM                                                                                         \
    backend::cpu_kernels<float>, backend::cpu_kernels<double>, pinned<float, direct>, pinned<double, direct>,   \
        pinned<float, direct_across_images>, pinned<double, direct_across_images>, pinned<float, winograd_2x2>, \
        pinned<double, winograd_2x2>, pinned<float, winograd_4x4>, pinned<double, winograd_4x4>
#endif

TEST_CASE("convolution: the kernels give what the reference gives") {
    for (const convolution& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool accumulate : {false, true}) {
                CAPTURE(c.height);
                CAPTURE(c.width);
                CAPTURE(c.stride);
                CAPTURE(c.padding);
                CAPTURE(tasks);
                CAPTURE(accumulate);
                if (tasks == 4 && c.pixels() > 200) continue;  // the reference is slow
                for (const bool shared : {false, true}) {
                    conformance::check<backend::reference<float>, EVERY_ALGORITHM>(
                        tasks, c.patch(), {c.output()}, {c.image(), c.weights(shared)},
                        [&](auto& k, auto out, auto in, auto) { k.conv2d(out[0], in[0], in[1], c.geometry(), accumulate); },
                        conformance::nan::may_spread);
                    conformance::check<backend::reference<float>, EVERY_ALGORITHM>(
                        tasks, c.kernel_height * c.kernel_width * c.filters, {c.image()}, {c.output(), c.weights(shared)},
                        [&](auto& k, auto out, auto in, auto) { k.conv2d_backward_data(out[0], in[0], in[1], c.geometry(), accumulate); },
                        conformance::nan::may_spread);
                }
                conformance::check<backend::reference<float>, EVERY_ALGORITHM>(
                    tasks, c.pixels(), {c.weights(false)}, {c.image(), c.output()},
                    [&](auto& k, auto out, auto in, auto) { k.conv2d_backward_weights(out[0], in[0], in[1], c.geometry(), accumulate); },
                    conformance::nan::may_spread);
            }
}

#if !defined(BILEVEL_CONFORMANCE_OF_THRUST) && !defined(BILEVEL_CONFORMANCE_OF_CUDA)
template <class... Kernels> constexpr bool have_tangents = (backend::convolution_tangent_kernels<Kernels> && ...);
static_assert(have_tangents<EVERY_ALGORITHM>);

TEST_CASE_TEMPLATE("convolution: the gradient by the weights is zero where there are no images", Kernels, EVERY_ALGORITHM) {
    using Scalar = typename Kernels::scalar;
    constexpr integer channels = 16, filters = 32;
    for (const integer side : {integer{3}, integer{14}})
        for (const Scalar before : {std::numeric_limits<Scalar>::quiet_NaN(), Scalar{3}}) {
            std::vector<Scalar> sum(9 * channels * filters, before);
            Kernels kernels;
            kernels.conv2d_backward_weights({sum.data(), 0, 1, 1, 9 * channels * filters, {3, 3, channels, filters}},
                                            {nullptr, 0, 1, 0, side * side * channels, {side, side, channels}},
                                            {nullptr, 0, 1, 0, side * side * filters, {side, side, filters}}, {1, 1}, before == 3);
            const Scalar after = before == 3 ? before : Scalar{0};
            CHECK(std::count(sum.begin(), sum.end(), after) == integer(sum.size()));
        }
}

TEST_CASE("convolution: with the moments of its result in one call it is what two calls of the reference give") {
    for (const convolution& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool shared : {false, true}) {
                CAPTURE(c.height);
                CAPTURE(c.width);
                CAPTURE(tasks);
                CAPTURE(shared);
                if (c.pixels() > (tasks == 4 ? 60 : 1000)) continue;  // the reference is slow
                const argument channel{1, {c.filters}};
                conformance::check<EVERY_ALGORITHM>(
                    tasks, c.patch() + c.pixels(), {c.output(), channel, channel}, {c.image(), c.weights(shared)},
                    [&](auto& k, auto out, auto in, auto) { k.conv2d_moments(out[0], out[1], out[2], in[0], in[1], c.geometry(), 1e-3F); },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d(out[0], in[0], in[1], c.geometry(), false);
                        k.moments(out[1], out[2], out[0], 1e-3F);
                    },
                    conformance::nan::may_spread);
            }
}

TEST_CASE_TEMPLATE("convolution: moments in one call are of the result of one call without, also where the mean is far from zero", Kernels,
                   EVERY_ALGORITHM) {
    using Scalar = typename Kernels::scalar;
    for (const convolution& c : cases)
        for (const Scalar offset : {Scalar(0), Scalar(300)}) {
            CAPTURE(c.height);
            CAPTURE(c.width);
            CAPTURE(c.filters);
            CAPTURE(offset);
            const argument channel{1, {c.filters}};
            conformance::plane<Scalar> x(c.image(), 1, 1), w(c.weights(false), 1, 2), y(c.output(), 1, 0), alone(c.output(), 1, 3),
                mean(channel, 1, 0), r(channel, 1, 0);
            for (integer i = 0; i < x.per_task(); ++i) x.at(0, i) += offset;
            const auto in = [](auto& plane) { return view<const Scalar>(plane.of({0, 1})); };
            Kernels kernels;
            kernels.conv2d_moments(y.of({0, 1}), mean.of({0, 1}), r.of({0, 1}), in(x), in(w), c.geometry(), Scalar(1e-5));
            kernels.conv2d(alone.of({0, 1}), in(x), in(w), c.geometry(), false);
            integer other_bits = 0;
            for (integer i = 0; i < y.per_task(); ++i) other_bits += y.at(0, i) != alone.at(0, i);
            CHECK(other_bits == 0);
            for (integer f = 0; f < c.filters; ++f) {
                long double sum = 0, squares = 0;
                for (integer i = f; i < y.per_task(); i += c.filters) sum += y.at(0, i);
                const long double expected = sum / c.pixels();
                for (integer i = f; i < y.per_task(); i += c.filters) squares += (y.at(0, i) - expected) * (y.at(0, i) - expected);
                const long double variance = squares / c.pixels(), deviation = std::sqrt(variance);
                // Each level of the sums rounds the mean, and how far a group's is from it, which a variance sees squared, or beside a deviation, and rounds
                // its own sums besides. E[x²] − E[x]² would be off by the unit of the square of the mean.
                const long double unit = std::numeric_limits<Scalar>::epsilon(), of_mean = 8 * unit * (std::abs(expected) + deviation);
                CHECK(std::abs(mean.at(0, f) - expected) <= of_mean);
                const long double found = 1 / (static_cast<long double>(r.at(0, f)) * r.at(0, f)) - Scalar(1e-5);
                CHECK(std::abs(found - variance) <= 64 * unit * (variance + 1e-5L) + of_mean * (2 * deviation + of_mean));
            }
        }
}

template <class... Kernels> constexpr bool transform_weights = (backend::weight_transforming_kernels<Kernels> && ...);
static_assert(transform_weights<EVERY_ALGORITHM>);

TEST_CASE("convolution: with its weights transformed ahead it is what the reference gives") {
    for (const convolution& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool shared : {false, true}) {
                CAPTURE(c.height);
                CAPTURE(c.width);
                CAPTURE(tasks);
                CAPTURE(shared);
                if (c.pixels() > (tasks == 4 || c.channels % 16 != 0 ? 60 : 1000)) continue;  // the reference is slow
                const auto geometry = c.geometry();
                const argument channel{1, {c.filters}};
                conformance::check<EVERY_ALGORITHM>(
                    tasks, c.patch() + c.pixels(), {c.output(), channel, channel}, {c.image(), c.weights(shared)},
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_moments(out[0], out[1], out[2], in[0], conformance::transformed_ahead(k, in[1], in[0], geometry, false),
                                         geometry, 1e-3F);
                    },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d(out[0], in[0], in[1], geometry, false);
                        k.moments(out[1], out[2], out[0], 1e-3F);
                    },
                    conformance::nan::may_spread);
                conformance::check<EVERY_ALGORITHM>(
                    tasks, 2 * c.patch(), {c.output()}, {c.image(), c.weights(shared), c.image(), c.weights(false)},
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_tangent(out[0], in[0], conformance::transformed_ahead(k, in[1], in[0], geometry, false), in[2], in[3],
                                         geometry);
                    },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d(out[0], in[0], in[1], geometry, false);
                        k.conv2d(out[0], in[2], in[3], geometry, true);
                    },
                    conformance::nan::may_spread);
                conformance::check<EVERY_ALGORITHM>(
                    tasks, 2 * c.kernel_height * c.kernel_width * c.filters, {c.image()},
                    {c.output(), c.weights(shared), c.output(), c.weights(false)},
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_backward_data_tangent(out[0], in[0], conformance::transformed_ahead(k, in[1], in[0], geometry, true),
                                                       in[2], in[3], geometry);
                    },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_backward_data(out[0], in[0], in[1], geometry, false);
                        k.conv2d_backward_data(out[0], in[2], in[3], geometry, true);
                    },
                    conformance::nan::may_spread);
            }
}

TEST_CASE_TEMPLATE("convolution: weights transformed ahead give the bits of those that are not", Kernels, EVERY_ALGORITHM) {
    using Scalar = typename Kernels::scalar;
    for (const convolution& c : cases) {
        CAPTURE(c.height);
        CAPTURE(c.width);
        CAPTURE(c.filters);
        const auto geometry = c.geometry();
        conformance::plane<Scalar> x(c.image(), 1, 1), dy(c.output(), 1, 2), w(c.weights(false), 1, 3), y(c.output(), 1, 0),
            y_ahead(c.output(), 1, 4), dx(c.image(), 1, 0), dx_ahead(c.image(), 1, 4);
        const auto out = [](auto& plane) { return plane.of({0, 1}); };
        const auto in = [](auto& plane) { return view<const Scalar>(plane.of({0, 1})); };
        Kernels kernels;
        kernels.conv2d(out(y), in(x), in(w), geometry, false);
        kernels.conv2d(out(y_ahead), in(x), conformance::transformed_ahead(kernels, in(w), in(x), geometry, false), geometry, false);
        CHECK(y_ahead.data() == y.data());
        kernels.conv2d_backward_data(out(dx), in(dy), in(w), geometry, false);
        kernels.conv2d_backward_data(out(dx_ahead), in(dy), conformance::transformed_ahead(kernels, in(w), in(dy), geometry, true),
                                     geometry, false);
        CHECK(dx_ahead.data() == dx.data());
    }
}

TEST_CASE("convolution: of few images weights that come from memory are not transformed") {
    const auto bits = [](auto kernels, integer images, integer side, integer channels, integer filters) {
        const convolution c{images, side, side, channels, filters, 3, 3, 1, 1};
        conformance::plane<float> x(c.image(), 1, 1), w(c.weights(false), 1, 2), y(c.output(), 1, 0);
        const auto in = [](auto& plane) { return view<const float>(plane.of({0, 1})); };
        kernels.conv2d(y.of({0, 1}), in(x), in(w), c.geometry(), false);
        return y.data();
    };
    const auto chosen = [&](auto... extents) {
        const auto by_itself = bits(backend::cpu_kernels<float>(), extents...);
        const bool across = by_itself == bits(pinned<float, direct_across_images>(), extents...),
                   winograd = by_itself == bits(pinned<float, winograd_2x2>(), extents...);
        CHECK(across != winograd);
        return across ? direct_across_images : winograd_2x2;
    };
    // 100 taps fall into images of 4 × 4, and Winograd has 64 products; 169 and 144 at 5 × 5, 256 and 144 at 6 × 6.
    CHECK(chosen(5, 4, 320, 640) == direct_across_images);
    CHECK(chosen(6, 4, 320, 640) == winograd_2x2);
    CHECK(chosen(8, 5, 640, 320) == direct_across_images);
    CHECK(chosen(9, 5, 640, 320) == winograd_2x2);
    CHECK(chosen(1, 6, 320, 640) == direct_across_images);
    CHECK(chosen(2, 6, 320, 640) == winograd_2x2);
    CHECK(chosen(1, 4, 320, 320) == winograd_2x2);
}

TEST_CASE("convolution: a tangent in one call is what two calls of the reference give") {
    for (const convolution& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool shared : {false, true}) {
                CAPTURE(c.height);
                CAPTURE(c.width);
                CAPTURE(tasks);
                CAPTURE(shared);
                // The reference is slow, and what no vectors take is two calls.
                if (c.pixels() > (tasks == 4 || c.channels % 16 != 0 ? 60 : 1000)) continue;
                const auto geometry = c.geometry();
                // The weights may be shared; what moves them is each task's own.
                conformance::check<EVERY_ALGORITHM>(
                    tasks, 2 * c.patch(), {c.output()}, {c.image(), c.weights(shared), c.image(), c.weights(false)},
                    [&](auto& k, auto out, auto in, auto) { k.conv2d_tangent(out[0], in[0], in[1], in[2], in[3], geometry); },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d(out[0], in[0], in[1], geometry, false);
                        k.conv2d(out[0], in[2], in[3], geometry, true);
                    },
                    conformance::nan::may_spread);
                conformance::check<EVERY_ALGORITHM>(
                    tasks, 2 * c.kernel_height * c.kernel_width * c.filters, {c.image()},
                    {c.output(), c.weights(shared), c.output(), c.weights(false)},
                    [&](auto& k, auto out, auto in, auto) { k.conv2d_backward_data_tangent(out[0], in[0], in[1], in[2], in[3], geometry); },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_backward_data(out[0], in[0], in[1], geometry, false);
                        k.conv2d_backward_data(out[0], in[2], in[3], geometry, true);
                    },
                    conformance::nan::may_spread);
                if (shared) continue;
                conformance::check<EVERY_ALGORITHM>(
                    tasks, 2 * c.pixels(), {c.weights(false)}, {c.image(), c.output(), c.image(), c.output()},
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_backward_weights_tangent(out[0], in[0], in[1], in[2], in[3], geometry);
                    },
                    [&](auto& k, auto out, auto in, auto) {
                        k.conv2d_backward_weights(out[0], in[0], in[1], geometry, false);
                        k.conv2d_backward_weights(out[0], in[2], in[3], geometry, true);
                    },
                    conformance::nan::may_spread);
            }
}
#endif

TEST_CASE_TEMPLATE("convolution: the two backward kernels are its transposes", Kernels, backend::reference<double>, EVERY_ALGORITHM) {
    using scalar = typename Kernels::scalar;
    for (const convolution& c : cases) {
        CAPTURE(c.height);
        CAPTURE(c.stride);
        CAPTURE(c.padding);
        const integer tasks = 2;
        conformance::plane<scalar> images(c.image(), tasks, 1), weights(c.weights(false), tasks, 2);
        const auto from = [](auto& plane, auto s) { return view<const scalar>(plane.of(s)); };
        conformance::check_adjoint<Kernels>(
            tasks, c.pixels() * c.patch(), c.image(), c.output(),
            [&](auto& k, auto y, auto x, auto s) { k.conv2d(y, x, from(weights, s), c.geometry(), false); },
            [&](auto& k, auto x, auto y, auto s) { k.conv2d_backward_data(x, y, from(weights, s), c.geometry(), false); });
        conformance::check_adjoint<Kernels>(
            tasks, c.pixels() * c.patch(), c.weights(false), c.output(),
            [&](auto& k, auto y, auto w, auto s) { k.conv2d(y, from(images, s), w, c.geometry(), false); },
            [&](auto& k, auto w, auto y, auto s) { k.conv2d_backward_weights(w, from(images, s), y, c.geometry(), false); });
    }
}

TEST_CASE_TEMPLATE("convolution: numbers computed by hand", Kernels, backend::reference<double>, EVERY_ALGORITHM) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};  // 3 × 3
    const scalar weights[] = {1, 10, 100, 1000, 0, 0, 0, 0, 2};  // 3 × 3, asymmetric: a transposed or flipped kernel gives other numbers
    const view<const scalar> x{image, 0, 1, 1, 9, {3, 3, 1}}, w{weights, 0, 1, 1, 9, {3, 3, 1, 1}};

    scalar same[9];
    kernels.conv2d({same, 0, 1, 1, 9, {3, 3, 1}}, x, w, {1, 1}, false);
    // Row by row: y[i][j] = x[i-1][j-1] + 10 x[i-1][j] + 100 x[i-1][j+1] + 1000 x[i][j-1] + 2 x[i+1][j+1].
    const auto at = [&](int i, int j) { return i < 0 || i > 2 || j < 0 || j > 2 ? scalar(0) : image[3 * i + j]; };
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
            CHECK(same[3 * i + j] ==
                  at(i - 1, j - 1) + 10 * at(i - 1, j) + 100 * at(i - 1, j + 1) + 1000 * at(i, j - 1) + 2 * at(i + 1, j + 1));
    CHECK(same[0] == 10);
    CHECK(same[4] == 1 + 20 + 300 + 4000 + 18);

    scalar valid[1];
    kernels.conv2d({valid, 0, 1, 1, 1, {1, 1, 1}}, x, w, {1, 0}, false);
    CHECK(valid[0] == 1 + 20 + 300 + 4000 + 18);

    scalar strided[4];
    kernels.conv2d({strided, 0, 1, 1, 4, {2, 2, 1}}, x, w, {2, 1}, false);
    CHECK(strided[0] == same[0]);
    CHECK(strided[1] == same[2]);
    CHECK(strided[2] == same[6]);
    CHECK(strided[3] == same[8]);
}

}  // namespace
