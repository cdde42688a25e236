// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Every primitive on one thread, at the shapes at which the networks call it (they are read off the networks): one task, of five examples where the name
// of a row says nothing else. Three by three convolutions of Conv-4 also by each algorithm, pinned.
#include <bilevel/backend/cost.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/testing/every_primitive.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "counters.hpp"
#include "networks.hpp"

namespace {

using namespace benchmarks;
using bilevel::dynamic;
using bilevel::rows;
using bilevel::shape;
using bilevel::view;
using bilevel::backend::activation;
using bilevel::backend::convolution_algorithm;
using bilevel::backend::cost;
using bilevel::backend::cpu_kernels;
using bilevel::backend::folded;
using bilevel::backend::normalised;

/// The planes of one row: noise, a fresh plane at each call.
class planes {
public:
    template <class Shape, class Scalar = float> view<Scalar> take(integer batch, integer width = 0) {
        return bilevel::detail::plane<Shape>(memory<Scalar>(batch * Shape::count(width)), batch * Shape::count(width), 1, batch, width);
    }
    rows<float> vector(integer size) { return {memory<float>(size), size, 1, size}; }
    /// Where noise would be no number of its kind: variances, a covariance, factors that are applied again and again.
    template <class Shape> view<float> ones() {
        const view<float> plane = take<Shape>(1);
        std::fill_n(plane.data, plane.size, 1.0F);
        return plane;
    }

private:
    template <class Scalar> Scalar* memory(integer count) {
        if constexpr (std::is_same_v<Scalar, float>) {
            return numbers_.emplace_back(noise(count, numbers_.size())).data();
        } else {  // positions of maxima in a window, labels, or classes: all are small
            auto& small = [this]() -> auto& {
                if constexpr (std::is_same_v<Scalar, int>) {
                    return labels_;
                } else {
                    return positions_;
                }
            }();
            auto& values = small.emplace_back(static_cast<std::size_t>(count));
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Scalar>(i % 4);
            return values.data();
        }
    }

    std::vector<bilevel::aligned_vector<float>> numbers_;
    std::vector<std::vector<int>> labels_;
    std::vector<std::vector<std::uint8_t>> positions_;
};

/// Where a primitive is called, and by what its convolutions are done.
struct place {
    std::string name;
    convolution_algorithm pinned = convolution_algorithm::automatic;
};

std::set<std::string_view>& primitives_with_rows() {
    static std::set<std::string_view> names;
    return names;
}

/// Arguments: planes -> what call(kernels, …) is given: kernels that count bill the row, those that compute are timed.
template <class Arguments, class Call> void row(const char* primitive, const place& at, Arguments arguments, Call call) {
    primitives_with_rows().insert(primitive);
    benchmark::RegisterBenchmark((primitive + ('/' + at.name)).c_str(), [=, pinned = at.pinned](benchmark::State& state) {
        planes memory;
        const auto given = arguments(memory);
        const auto run = [&](auto& kernels) { std::apply([&](const auto&... each) { call(kernels, each...); }, given); };
        cost<float> bill;
        run(bill);
        cpu_kernels<float> kernels;
        kernels.pin(pinned);
        run(kernels);
        const stopwatch watch;
        for ([[maybe_unused]] auto _ : state) {
            run(kernels);
            benchmark::ClobberMemory();
        }
        report_rates(state, watch, bill.flops, bill.bytes);
    })->Unit(benchmark::kMicrosecond);
}

// The row of a primitive with its arguments, for which p has the planes.
#define BILEVEL_ROW(NAME, AT, ...)                                                      \
    row(                                                                                \
        #NAME, AT, [=]([[maybe_unused]] planes& p) { return std::tuple{__VA_ARGS__}; }, \
        [](auto& k, const auto&... given) { k.NAME(given...); })

/// "14x14x64"
template <class Shape> std::string extents_of(integer width = 0) {
    std::string text;
    for (const integer extent : Shape::extents) (text += text.empty() ? "" : "x") += std::to_string(extent == dynamic ? width : extent);
    return text;
}

const char* name_of(convolution_algorithm algorithm) {
    switch (algorithm) {
        case convolution_algorithm::automatic:
            return "automatic";
        case convolution_algorithm::direct:
            return "direct";
        case convolution_algorithm::direct_across_images:
            return "direct_across_images";
        case convolution_algorithm::winograd_2x2:
            return "winograd_2x2";
        case convolution_algorithm::winograd_4x4:
            return "winograd_4x4";
    }
    return "";
}

bool is_winograd(convolution_algorithm algorithm) {
    return algorithm == convolution_algorithm::winograd_2x2 || algorithm == convolution_algorithm::winograd_4x4;
}

template <class Layer> void register_convolution(const std::string& name, integer n, std::initializer_list<convolution_algorithm> pins) {
    using in = typename Layer::input;
    using out = typename Layer::output;
    using weights = typename Layer::weights;
    constexpr bool reads_images = in::template extent<2> <= 3;  // nobody wants the derivative by the image
    constexpr auto geometry = Layer::geometry;
    const auto register_at = [=](const place& at) {
        BILEVEL_ROW(conv2d, at, p.take<out>(n), p.take<in>(n), p.take<weights>(1), geometry, false);
        if (!reads_images) BILEVEL_ROW(conv2d_backward_data, at, p.take<in>(n), p.take<out>(n), p.take<weights>(1), geometry, false);
        if (at.pinned != convolution_algorithm::winograd_4x4)  // which has none of its own
            BILEVEL_ROW(conv2d_backward_weights, at, p.take<weights>(1), p.take<in>(n), p.take<out>(n), geometry, false);
    };
    const place at{name};
    register_at(at);
    if (reads_images) return;
    for (const convolution_algorithm pinned : pins)
        if (geometry.stride == 1 || !is_winograd(pinned)) register_at({name + '/' + name_of(pinned), pinned});
    BILEVEL_ROW(conv2d_tangent, at, p.take<out>(n), p.take<in>(n), p.take<weights>(1), p.take<in>(n), p.take<weights>(1), geometry);
    BILEVEL_ROW(conv2d_backward_data_tangent, at, p.take<in>(n), p.take<out>(n), p.take<weights>(1), p.take<out>(n), p.take<weights>(1),
                geometry);
    BILEVEL_ROW(conv2d_backward_weights_tangent, at, p.take<weights>(1), p.take<in>(n), p.take<out>(n), p.take<in>(n), p.take<out>(n),
                geometry);
}

/// The positions of the maxima behind a batch norm, or none where it does not pool.
template <class BatchNorm> view<std::uint8_t> positions(planes& p, integer n) {
    using result = typename BatchNorm::output;
    if constexpr (std::is_same_v<typename BatchNorm::input, result>) {
        return {};
    } else {
        return p.take<result, std::uint8_t>(n);
    }
}
template <class BatchNorm> activation<float> what_follows() { return {BatchNorm::template slope<float>()}; }

template <class Layer> void register_batch_norm(const std::string& name, integer n) {
    using image = typename Layer::input;
    using result = typename Layer::output;
    using channel = typename Layer::channel;
    const auto follows = what_follows<Layer>();
    const auto from = [=](planes& p) { return positions<Layer>(p, n); };
    const auto of = [=](planes& p) {
        return normalised<float>{p.take<image>(n), p.take<channel>(1), p.take<channel>(1), p.take<channel>(1), p.take<channel>(1)};
    };
    const place at{name};
    BILEVEL_ROW(moments, at, p.take<channel>(1), p.take<channel>(1), p.take<image>(n), float(Layer::epsilon));
    BILEVEL_ROW(inverse_deviation, at, p.take<channel>(1), p.ones<channel>(), float(Layer::epsilon));
    BILEVEL_ROW(moments_tangent, at, p.take<channel>(1), p.take<channel>(1), p.take<image>(n), of(p));
    BILEVEL_ROW(batch_norm, at, p.take<result>(n), from(p), of(p), follows);
    BILEVEL_ROW(batch_norm_tangent, at, p.take<result>(n), p.take<result>(n), from(p), of(p), of(p), follows);
    BILEVEL_ROW(batch_norm_sums, at, p.take<channel>(1), p.take<channel>(1), p.take<result>(n), p.take<result>(n), from(p), of(p), follows);
    BILEVEL_ROW(batch_norm_sums_tangent, at, p.take<channel>(1), p.take<channel>(1), p.take<result>(n), p.take<result>(n),
                p.take<result>(n), from(p), of(p), of(p), follows);
    BILEVEL_ROW(batch_norm_backward, at, p.take<image>(n), p.take<channel>(1), p.take<channel>(1), p.take<result>(n), p.take<result>(n),
                from(p), of(p), follows);
    BILEVEL_ROW(batch_norm_backward_tangent, at, p.take<image>(n), p.take<channel>(1), p.take<channel>(1), p.take<channel>(1),
                p.take<channel>(1), p.take<result>(n), p.take<result>(n), p.take<result>(n), from(p), of(p), of(p), follows);
}

/// A convolution of constant images with the batch norm behind it folded in.
template <class Convolution, class BatchNorm> void register_folded(const std::string& name, integer n) {
    using image = typename Convolution::input;
    using weights = typename Convolution::weights;
    using result = typename BatchNorm::output;
    using filters = typename BatchNorm::channel;
    using patch = shape<weights::template extent<0>, weights::template extent<1>, weights::template extent<2>>;
    using covariance = shape<patch::count(), patch::count()>;
    constexpr auto geometry = Convolution::geometry;
    const auto follows = what_follows<BatchNorm>();
    const auto from = [=](planes& p) { return positions<BatchNorm>(p, n); };
    const auto of = [](planes& p) {
        return folded<float>{p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1)};
    };
    const place at{name};
    BILEVEL_ROW(patch_moments, at, p.take<patch>(1), p.take<covariance>(1), p.take<image>(n), geometry);
    BILEVEL_ROW(fold_batch_norm, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1),
                p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<patch>(1), p.ones<covariance>(),
                float(BatchNorm::epsilon));
    BILEVEL_ROW(fold_batch_norm_tangent, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<filters>(1),
                p.take<weights>(1), of(p), p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<patch>(1),
                p.ones<covariance>());
    BILEVEL_ROW(fold_batch_norm_backward, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1),
                p.take<filters>(1), of(p), p.take<patch>(1));
    BILEVEL_ROW(fold_batch_norm_backward_tangent, at, p.take<weights>(1), p.take<filters>(1), p.take<filters>(1), p.take<weights>(1),
                p.take<filters>(1), p.take<weights>(1), p.take<filters>(1), of(p), of(p), p.take<patch>(1));
    BILEVEL_ROW(conv2d_activation, at, p.take<result>(n), from(p), p.take<image>(n), p.take<weights>(1), p.take<filters>(1), geometry,
                follows);
    BILEVEL_ROW(conv2d_activation_tangent, at, p.take<result>(n), p.take<result>(n), from(p), p.take<image>(n), p.take<weights>(1),
                p.take<filters>(1), geometry, follows);
    BILEVEL_ROW(conv2d_activation_backward, at, p.take<weights>(1), p.take<filters>(1), p.take<result>(n), p.take<result>(n), from(p),
                p.take<image>(n), geometry, follows);
}

/// A layer without parameters.
template <class Layer> void register_plain(const std::string& name, integer n) {
    using in = typename Layer::input;
    using out = typename Layer::output;
    constexpr std::string_view kind = Layer::name;
    const place at{name};
    if constexpr (kind == "max_pool") {
        BILEVEL_ROW(max_pool, at, p.take<out>(n), p.take<out, std::uint8_t>(n), p.take<in>(n));
        BILEVEL_ROW(max_pool_gather, at, p.take<out>(n), p.take<in>(n), p.take<out, std::uint8_t>(n));
        BILEVEL_ROW(max_pool_scatter, at, p.take<in>(n), p.take<out>(n), p.take<out, std::uint8_t>(n));
    } else if constexpr (kind == "global_average_pool") {
        BILEVEL_ROW(average_pool, at, p.take<out>(n), p.take<in>(n));
        BILEVEL_ROW(average_pool_backward, at, p.take<in>(n), p.take<out>(n));
    } else {
        constexpr float slope = kind == "relu" ? 0.0F : 0.1F;
        BILEVEL_ROW(rectify, at, p.take<out>(n), p.take<in>(n), slope);
        BILEVEL_ROW(rectify_backward, at, p.take<in>(n), p.take<out>(n), p.take<out>(n), slope);
    }
}

template <class Network> void register_head(const std::string& network, integer n) {
    using in = typename Network::features;
    using out = shape<dynamic>;
    using weights = shape<in::count(), dynamic>;
    const place at{network + "/head/" + extents_of<weights>(ways)};
    BILEVEL_ROW(matmul, at, p.take<out>(n, ways), p.take<in>(n), p.take<weights>(1, ways), false);
    BILEVEL_ROW(matmul_backward_data, at, p.take<in>(n), p.take<out>(n, ways), p.take<weights>(1, ways), false);
    BILEVEL_ROW(matmul_backward_weights, at, p.take<weights>(1, ways), p.take<in>(n), p.take<out>(n, ways), false);
    BILEVEL_ROW(add_bias, at, p.take<out>(n, ways), p.take<out>(1, ways), true);
    BILEVEL_ROW(sum_over_batch, at, p.take<out>(1, ways), p.take<out>(n, ways), false);
}

/// The convolutions of all four blocks, the first block as it is read, folded, the batch norm of the second block, where nearly all of the other elements
/// are, and the layer in front of the head.
template <class Network> void register_conv4(const std::string& network) {
    using body = typename Network::body;
    constexpr integer n = ways;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                using layer = typename body::template layer<I>;
                constexpr std::size_t depth = body::depth / 4, block = std::min<std::size_t>(I / depth, 3);
                constexpr std::string_view kind = layer::name;
                const std::string name = network + "/block:" + std::to_string(block + 1) + '/' + extents_of<typename layer::input>();
                if constexpr (I == 0) register_folded<layer, typename body::template layer<1>>(name, n);
                if constexpr (kind == "convolution") {
                    using enum convolution_algorithm;
                    register_convolution<layer>(name, n, {direct, direct_across_images, winograd_2x2, winograd_4x4});
                } else if constexpr (block == 1 || I + 1 == body::depth) {
                    if constexpr (kind == "batch_norm") {
                        register_batch_norm<layer>(name, n);
                    } else {
                        register_plain<layer>(name, n);
                    }
                }
            }(),
            ...);
    }(std::make_index_sequence<body::depth>{});
    register_head<Network>(network, n);
}

/// The 3 × 3 convolutions of all four blocks (the 1 × 1 ones are in matrix_product.cpp), what else the first block has, where most of the other elements
/// are, and the layer in front of the head.
template <class Image> void register_resnet12(integer n) {
    using network = bilevel::nn::resnet12<Image>;
    using body = typename network::body;
    const std::string images = "/images:" + std::to_string(n);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                using layer = typename body::template layer<I>;
                const auto name = [&]<class Shape>(std::type_identity<Shape>) { return "resnet12/" + extents_of<Shape>() + images; };
                if constexpr (requires { typename layer::shortcut; }) {
                    using inner = typename layer::body;
                    using first = typename inner::template layer<0>;
                    using second = typename inner::template layer<2>;
                    const auto register_one = [&]<class Convolution>(std::type_identity<Convolution>) {
                        using in = typename Convolution::input;
                        using pixels_and_filters = shape<in::template extent<0>, in::template extent<1>, in::template extent<2>,
                                                         Convolution::output::template extent<2>>;
                        register_convolution<Convolution>(name(std::type_identity<pixels_and_filters>{}), n,
                                                          {convolution_algorithm::winograd_4x4});
                    };
                    register_one(std::type_identity<first>{});
                    register_one(std::type_identity<second>{});
                    if constexpr (I == 0) {
                        register_folded<first, typename inner::template layer<1>>(name(std::type_identity<Image>{}), n);
                        register_batch_norm<typename inner::template layer<3>>(name(std::type_identity<typename second::output>{}), n);
                    }
                } else if constexpr (I < body::depth / 4 || I + 1 == body::depth) {
                    register_plain<layer>(name(std::type_identity<typename layer::input>{}), n);
                }
            }(),
            ...);
    }(std::make_index_sequence<body::depth>{});
}

/// What does not depend on the body: losses, the class-wise head of multi-task learning, and vectors as long as the parameters.
template <class Network> void register_rest(const std::string& network) {
    using logits = shape<dynamic>;
    using one = shape<1>;
    using features = typename Network::features;
    using head = shape<dynamic, features::count()>;
    using weights = shape<features::count(), dynamic>;
    constexpr integer n = ways, classes = 64;
    const place of_logits{network + "/logits:" + std::to_string(ways)};
    const auto z = [=](planes& p) { return p.take<logits>(n, ways); };
    const auto labels = [=](planes& p) { return p.take<one, int>(n); };
    BILEVEL_ROW(softmax_cross_entropy, of_logits, p.take<one>(1), z(p), z(p), labels(p));
    BILEVEL_ROW(softmax_tangent, of_logits, z(p), z(p), z(p));
    BILEVEL_ROW(cross_entropy_tangent, of_logits, p.take<one>(1), z(p), z(p), labels(p));
    BILEVEL_ROW(cross_entropy_backward, of_logits, z(p), z(p), labels(p));
    BILEVEL_ROW(scale, of_logits, z(p), z(p), 0.2F);
    BILEVEL_ROW(count_correct, of_logits, p.take<one>(1), z(p), labels(p));

    const place of_classes{network + "/classes:" + std::to_string(classes)};
    BILEVEL_ROW(gather_classes, of_classes, p.take<weights>(1, ways), p.take<head>(1, classes), labels(p));
    BILEVEL_ROW(scatter_classes, of_classes, p.take<head>(1, classes), p.take<weights>(1, ways), labels(p));

    const integer size = Network::size(ways);
    const place of_parameters{network + "/size:" + std::to_string(size)}, with_factors{network + "/factors/size:" + std::to_string(size)};
    BILEVEL_ROW(fill, of_parameters, p.vector(size), 1.0F);
    BILEVEL_ROW(copy, of_parameters, p.vector(size), p.vector(size));
    BILEVEL_ROW(add_scaled, of_parameters, p.vector(size), 1e-6F, p.vector(size));
    BILEVEL_ROW(add_scaled, with_factors, p.vector(size), static_cast<const float*>(p.ones<one>().data), p.vector(size));
    BILEVEL_ROW(scale_and_add, of_parameters, p.vector(size), static_cast<const float*>(p.ones<one>().data), p.vector(size));
    BILEVEL_ROW(inner_products, of_parameters, p.vector(1).data, p.vector(size), p.vector(size));
    const auto average = [](float* x, const float* g) { return [=](integer i) { x[i] = 0.9F * x[i] + 0.1F * g[i]; }; };
    BILEVEL_ROW(for_each_index, of_parameters, size, average(p.vector(size).data, p.vector(size).data));
}

/// The network and the loss of examples/sinusoids.cpp.
void register_regression() {
    using network = bilevel::nn::mlp<shape<1>, 40, 40>;
    using output = shape<dynamic>;
    constexpr integer n = 10;
    const std::string images = "/examples:" + std::to_string(n);
    const place at{"mlp/1" + images};
    register_plain<typename network::body::layer<1>>("mlp/40" + images, n);
    BILEVEL_ROW(squared_error, at, p.take<shape<1>>(1), p.take<output>(n, 1), p.take<output>(n, 1), p.take<output>(n, 1));
    BILEVEL_ROW(squared_error_tangent, at, p.take<shape<1>>(1), p.take<output>(n, 1), p.take<output>(n, 1));
}

/// So that a primitive that is new gets a row.
void require_rows() {
#define BILEVEL_REQUIRE(NAME) \
    if (!primitives_with_rows().contains(#NAME)) throw std::logic_error("benchmark_primitives: no row of " #NAME);
    BILEVEL_EVERY_PRIMITIVE(BILEVEL_REQUIRE)
    BILEVEL_EVERY_OPTIONAL_PRIMITIVE(BILEVEL_REQUIRE)
#undef BILEVEL_REQUIRE
}

[[maybe_unused]] const bool registered = [] {
    register_conv4<strided_64>("strided_conv4_64");
    register_conv4<pooled_64>("conv4_64");
    register_conv4<bilevel::nn::conv4<shape<32, 32, 3>, 64>>("conv4_64");
    register_conv4<pooled_32>("conv4_32");
    register_rest<pooled_64>("conv4_64");
    register_regression();
    register_resnet12<shape<32, 32, 3>>(50);
    register_resnet12<shape<84, 84, 3>>(5);
    require_rows();
    return true;
}();

}  // namespace
