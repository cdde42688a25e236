// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cuda.cuh>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>
#include <bilevel/testing/tolerance.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace bilevel;
using backend_type = backend::cuda<float>;
using backend::convolution_products;

#ifndef BILEVEL_HAS_CUDNN

TEST_CASE("cuda: who asks for cuDNN where there is none is told what to do") {
    try {
        backend_type on({.convolutions = convolution_products::cudnn});
        FAIL("no exception");
    } catch (const argument_error& e) {
        CHECK(std::string(e.what()).find("BILEVEL_CUDNN=ON") != std::string::npos);
    }
}

#else

namespace {
struct layer {
    integer tasks, batch, side, channels, filters, kernel, padding;
};

/// An array that host and device share, with random numbers, and `gap` elements behind each task that are zero and stay so.
class plane {
public:
    plane(backend_type& on, integer tasks, integer batch, std::vector<integer> extents, integer stride_or_gap, std::uint64_t index)
        : view_{nullptr, 0, tasks, batch, 1, {}} {
        std::copy(extents.begin(), extents.end(), view_.extents);
        for (const integer e : extents) view_.size *= e;
        view_.stride = stride_or_gap == shared ? 0 : batch * view_.size + stride_or_gap;
        const integer planes = view_.stride == 0 ? 1 : tasks;
        data_ = aligned_vector<float>(std::size_t(planes * (batch * view_.size + std::max(stride_or_gap, integer{0}))), 0,
                                      aligned_allocator<float>(on.shared_memory()));
        view_.data = data_.data();
        random::generator generator(3, random::purpose::user, index);
        for (integer t = 0; t < planes; ++t)
            for (integer i = 0; i < batch * view_.size; ++i) view_.at(t)[i] = float(generator.uniform(-1, 1));
    }
    plane(const plane&) = delete;
    static constexpr integer shared = -1;

    operator view<float>() const { return view_; }
    operator view<const float>() const { return view_; }
    const aligned_vector<float>& numbers() const { return data_; }

private:
    view<float> view_;
    aligned_vector<float> data_;
};

using network = nn::resnet12<shape<16, 16, 3>, 16, 32, 64, 192>;  // the weights' gradients of its last block are large enough for cuDNN
constexpr fixture::sizes size{.tasks = 3, .outputs = 4, .support = 4, .query = 8};

std::vector<aligned_vector<float>> hypergradients(backend_type& on, std::uint64_t seed, int times) {
    auto solver = mtl(on, task<network, objective::cross_entropy>{.outputs = size.outputs}, size.classes);
    const fixture::episodes<float, network, objective::cross_entropy> data(size, seed);
    const auto s = solver.initialise({.seed = seed});
    std::vector<aligned_vector<float>> all;
    for (int i = 0; i < times; ++i) all.push_back(solver.hypergradient(s, data.all()).vector);
    return all;
}
}  // namespace

TEST_CASE("cudnn: it has the layers of ResNet-12, and gives what the tiles give, whether tasks adjoin or not") {
    const layer layers[] = {{3, 2, 42, 64, 64, 3, 1},   {3, 5, 21, 64, 160, 3, 1},  {3, 5, 21, 64, 160, 1, 0}, {2, 5, 10, 160, 320, 3, 1},
                            {2, 5, 10, 160, 320, 1, 0}, {2, 3, 10, 320, 320, 3, 1}, {3, 3, 5, 320, 640, 3, 1}, {1, 4, 5, 640, 640, 3, 1}};
    backend_type tiles, on({.convolutions = convolution_products::cudnn});
    auto& cudnn = static_cast<backend::cudnn_convolutions<backend_type, float>&>(on);
    for (const layer& l : layers)
        for (const integer gap : {0, 16})
            for (const bool accumulate : {false, true}) {
                CAPTURE(l.side);
                CAPTURE(l.channels);
                CAPTURE(l.filters);
                CAPTURE(l.kernel);
                CAPTURE(gap);
                CAPTURE(accumulate);
                const backend::convolution_geometry geometry{.stride = 1, .padding = l.padding};
                const std::vector<integer> image{l.side, l.side, l.channels}, output{l.side, l.side, l.filters},
                    weights{l.kernel, l.kernel, l.channels, l.filters};
                const plane x(on, l.tasks, l.batch, image, gap, 0), dy(on, l.tasks, l.batch, output, gap, 1),
                    w(on, l.tasks, 1, weights, plane::shared, 2);
                const auto check = [&](const plane& actual, const plane& expected, integer terms) {
                    on.wait();
                    tiles.wait();
                    CHECK(testing::relative_error(actual.numbers(), expected.numbers()) <= 2 * testing::tolerance<float>(double(terms)));
                };
                {
                    const plane a(on, l.tasks, l.batch, output, gap, 3), b(on, l.tasks, l.batch, output, gap, 3);
                    CHECK(cudnn.conv2d(a, x, w, geometry, accumulate));
                    tiles.conv2d(b, x, w, geometry, accumulate);
                    check(a, b, l.kernel * l.kernel * l.channels);
                }
                {
                    const plane a(on, l.tasks, l.batch, image, gap, 3), b(on, l.tasks, l.batch, image, gap, 3);
                    CHECK(cudnn.conv2d_backward_data(a, dy, w, geometry, accumulate));
                    tiles.conv2d_backward_data(b, dy, w, geometry, accumulate);
                    check(a, b, l.kernel * l.kernel * l.filters);
                }
                {
                    const plane a(on, l.tasks, 1, weights, gap, 3), b(on, l.tasks, 1, weights, gap, 3);
                    CHECK(cudnn.conv2d_backward_weights(a, x, dy, geometry, accumulate) == (l.kernel == 3 && l.filters >= 320));
                    on.conv2d_backward_weights(a, x, dy, geometry, accumulate);
                    if (accumulate && l.kernel == 3 && l.filters >= 320)
                        tiles.conv2d_backward_weights(b, x, dy, geometry, true);  // as above, twice
                    tiles.conv2d_backward_weights(b, x, dy, geometry, accumulate);
                    check(a, b, l.batch * l.side * l.side);
                }
                if (l.tasks > 1) {
                    const plane a(on, l.tasks, l.batch, output, gap, 3), of_each(on, l.tasks, 1, weights, gap, 2);
                    CHECK(!cudnn.conv2d(a, x, of_each, geometry, accumulate));
                }
            }
}

TEST_CASE("cudnn: hypergradients of MTL are those of the tiles, and have the same bits in every run and as a graph") {
    backend_type tiles, on({.convolutions = convolution_products::cudnn}),
        in_tf32({.convolutions = convolution_products::cudnn, .arithmetic = backend::arithmetic::tf32});
    std::vector<double> errors, of_tf32;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto expected = hypergradients(tiles, seed, 1), actual = hypergradients(on, seed, 4);  // run, recorded, and twice as a graph
        for (const auto& again : actual) CHECK(again == actual.front());
        CHECK(actual.front() != expected.front());  // cuDNN is what runs
        errors.push_back(testing::relative_error(actual.front(), expected.front()));
        of_tf32.push_back(testing::relative_error(hypergradients(in_tf32, seed, 1).front(), expected.front()));
    }
    CHECK(on.kernels_of_graph() > 100);
    // On a cpu float differs from double by 2e-6, and by up to 4e-3 in the batches, one of four, where rounding flips a rectifier or a maximum.
    std::sort(errors.begin(), errors.end());
    CHECK(errors[2] <= 2e-5);
    CHECK(errors.back() <= 2e-2);
    CHECK(*std::max_element(of_tf32.begin(), of_tf32.end()) <= 0.25);
}

TEST_CASE("cudnn: 3xTF32 stays with the tiles, and double is refused") {
    const auto three = backend::arithmetic::three_tf32;
    backend_type tiles({.arithmetic = three}), on({.convolutions = convolution_products::cudnn, .arithmetic = three});
    CHECK(hypergradients(on, 1, 1) == hypergradients(tiles, 1, 1));
    CHECK_THROWS_AS(backend::cuda<double>({.convolutions = convolution_products::cudnn}), argument_error);
}

TEST_CASE("cudnn: an error says which call failed") {
    try {
        backend::detail::check(CUDNN_STATUS_BAD_PARAM, "cudnnConvolutionForward");
        FAIL("no exception");
    } catch (const cuda_error& e) {
        CHECK(std::string(e.what()) == "bilevel: cudnnConvolutionForward: CUDNN_STATUS_BAD_PARAM");
    }
}

#endif
