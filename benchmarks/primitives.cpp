// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Every family of primitives on one thread, at the shapes at which the networks call it (they are read off the networks), on one task of five examples.
#include <bilevel/backend/cost.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/nn/convolution.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "counters.hpp"
#include "networks.hpp"

namespace {

using namespace benchmarks;
using bilevel::rows;
using bilevel::shape;
using bilevel::view;
using bilevel::backend::convolution_algorithm;
using bilevel::backend::cost;
using bilevel::backend::cpu_kernels;

/// The planes of one row: noise, a fresh plane at each call.
class planes {
public:
    template <class Shape, class Scalar = float> view<Scalar> take(integer batch, integer width = 0) {
        return bilevel::detail::plane<Shape>(memory<Scalar>(batch * Shape::count(width)), batch * Shape::count(width), 1, batch, width);
    }
    rows<float> vector(integer size) { return {memory<float>(size), size, 1, size}; }

private:
    template <class Scalar> Scalar* memory(integer count) {
        if constexpr (std::is_same_v<Scalar, float>) {
            return numbers_.emplace_back(noise(count, numbers_.size())).data();
        } else {  // positions of maxima in a window, or labels: both are small
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

/// Prepare: planes -> a program over kernels, which is billed by the kernels that count and timed on those that compute.
template <class Prepare>
void row(const std::string& name, Prepare prepare, convolution_algorithm pinned = convolution_algorithm::automatic) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
        planes memory;
        auto program = prepare(memory);
        cost<float> bill;
        program(bill);
        cpu_kernels<float> kernels;
        kernels.pin(pinned);
        program(kernels);
        const stopwatch watch;
        for ([[maybe_unused]] auto _ : state) {
            program(kernels);
            benchmark::ClobberMemory();
        }
        report_rates(state, watch, bill.flops, bill.bytes);
    })->Unit(benchmark::kMicrosecond);
}

constexpr integer batch = ways;

template <class Layer> void register_convolution(const std::string& at, integer images = batch) {
    using in = typename Layer::input;
    using out = typename Layer::output;
    using weights = typename Layer::weights;
    const auto forward = [=](planes& p) {
        return [y = p.take<out>(images), x = p.take<in>(images), w = p.take<weights>(1)](auto& k) {
            k.conv2d(y, x, w, Layer::geometry, false);
        };
    };
    const auto backward_data = [=](planes& p) {
        return [dx = p.take<in>(images), dy = p.take<out>(images), w = p.take<weights>(1)](auto& k) {
            k.conv2d_backward_data(dx, dy, w, Layer::geometry, false);
        };
    };
    row("conv2d/" + at, forward);
    if (in::template extent<2> > 3) row("conv2d_backward_data/" + at, backward_data);  // nobody wants the derivative by the image
    if (in::template extent<2> > 3 && Layer::geometry.stride == 1) {
        row("conv2d/" + at + "/winograd_4x4", forward, convolution_algorithm::winograd_4x4);
        row("conv2d_backward_data/" + at + "/winograd_4x4", backward_data, convolution_algorithm::winograd_4x4);
    }
    row("conv2d_backward_weights/" + at, [=](planes& p) {
        return [dw = p.take<weights>(1), x = p.take<in>(images), dy = p.take<out>(images)](auto& k) {
            k.conv2d_backward_weights(dw, x, dy, Layer::geometry, false);
        };
    });
    if (in::template extent<2> <= 3) return;
    row("conv2d_tangent/" + at, [=](planes& p) {
        return [dy = p.take<out>(images), x = p.take<in>(images), dx = p.take<in>(images), w = p.take<weights>(1),
                dw = p.take<weights>(1)](auto& k) { k.conv2d_tangent(dy, dx, w, x, dw, Layer::geometry); };
    });
    row("conv2d_backward_data_tangent/" + at, [=](planes& p) {
        return [dx = p.take<in>(images), y = p.take<out>(images), dy = p.take<out>(images), w = p.take<weights>(1),
                dw = p.take<weights>(1)](auto& k) { k.conv2d_backward_data_tangent(dx, dy, w, y, dw, Layer::geometry); };
    });
    row("conv2d_backward_weights_tangent/" + at, [=](planes& p) {
        return [dw = p.take<weights>(1), x = p.take<in>(images), dx = p.take<in>(images), y = p.take<out>(images),
                dy = p.take<out>(images)](auto& k) { k.conv2d_backward_weights_tangent(dw, dx, y, x, dy, Layer::geometry); };
    });
}

constexpr bilevel::backend::activation<float> relu{0.0F};

/// Batch norm with what follows it, and its statistics.
template <class Layer> void register_batch_norm(const std::string& at) {
    struct arguments {
        view<float> x, dx, y, dy, gain, shift, mean, r, sum, dot;
        view<std::uint8_t> argmax;
        bilevel::backend::normalised<float> of() const { return {x, mean, r, gain, shift}; }
    };
    using image = typename Layer::input;
    using result = typename Layer::output;
    using channel = typename Layer::channel;
    const auto take = [](planes& p) {
        arguments a{p.take<image>(batch),
                    p.take<image>(batch),
                    p.take<result>(batch),
                    p.take<result>(batch),
                    p.take<channel>(1),
                    p.take<channel>(1),
                    p.take<channel>(1),
                    p.take<channel>(1),
                    p.take<channel>(1),
                    p.take<channel>(1),
                    {}};
        if constexpr (!std::is_same_v<image, result>) a.argmax = p.take<result, std::uint8_t>(batch);
        return a;
    };
    row("batch_norm/" + at, [=](planes& p) {
        return [a = take(p)](auto& k) {
            k.moments(a.mean, a.r, a.x, float(Layer::epsilon));
            k.batch_norm(a.y, a.argmax, a.of(), relu);
        };
    });
    row("batch_norm_backward/" + at, [=](planes& p) {
        return [a = take(p)](auto& k) {
            k.batch_norm_sums(a.dot, a.sum, a.dy, a.y, a.argmax, a.of(), relu);
            k.batch_norm_backward(a.dx, a.dot, a.sum, a.dy, a.y, a.argmax, a.of(), relu);
        };
    });
    row("batch_norm_tangent/" + at, [=](planes& p) {
        return [a = take(p)](auto& k) {
            k.moments_tangent(a.sum, a.dot, a.dx, a.of());
            k.batch_norm_tangent(a.dy, a.y, a.argmax, a.of(), {a.dx, a.sum, a.dot, a.gain, a.shift}, relu);
        };
    });
    row("batch_norm_backward_tangent/" + at, [=](planes& p) {
        return [a = take(p), dx = p.take<image>(batch), dy = p.take<result>(batch)](auto& k) {
            const bilevel::backend::normalised<float> moved{a.dx, a.sum, a.dot, a.gain, a.shift};
            k.batch_norm_sums_tangent(a.dot, a.sum, a.dy, dy, a.y, a.argmax, a.of(), moved, relu);
            k.batch_norm_backward_tangent(dx, a.dot, a.sum, a.dot, a.sum, a.dy, dy, a.y, a.argmax, a.of(), moved, relu);
        };
    });
}

/// A convolution of constant images with the batch norm behind it folded in.
template <class Convolution, class BatchNorm> void register_folded(const std::string& at) {
    using image = typename Convolution::input;
    using weights = typename Convolution::weights;
    using result = typename BatchNorm::output;
    using filters = typename BatchNorm::channel;
    constexpr integer terms = weights::count() / filters::count();
    struct arguments {
        view<float> x, w, y, dy, bias;
        view<std::uint8_t> argmax;
    };
    const auto take = [](planes& p) {
        arguments a{p.take<image>(batch), p.take<weights>(1), p.take<result>(batch), p.take<result>(batch), p.take<filters>(1), {}};
        if constexpr (!std::is_same_v<typename Convolution::output, result>) a.argmax = p.take<result, std::uint8_t>(batch);
        return a;
    };
    row("patch_moments/" + at, [](planes& p) {
        using patch = shape<weights::template extent<0>, weights::template extent<1>, weights::template extent<2>>;
        return [x = p.take<image>(batch), mean = p.take<patch>(1), covariance = p.take<shape<terms, terms>>(1)](auto& k) {
            k.patch_moments(mean, covariance, x, Convolution::geometry);
        };
    });
    row("conv2d_activation/" + at, [=](planes& p) {
        return [a = take(p)](auto& k) { k.conv2d_activation(a.y, a.argmax, a.x, a.w, a.bias, Convolution::geometry, relu); };
    });
    row("conv2d_activation_tangent/" + at, [=](planes& p) {
        return [a = take(p)](auto& k) { k.conv2d_activation_tangent(a.dy, a.y, a.argmax, a.x, a.w, a.bias, Convolution::geometry, relu); };
    });
    row("conv2d_activation_backward/" + at, [=](planes& p) {
        return [a = take(p)](auto& k) { k.conv2d_activation_backward(a.w, a.bias, a.dy, a.y, a.argmax, a.x, Convolution::geometry, relu); };
    });
}

template <class Layer> void register_rectifier(const std::string& at) {
    using image = typename Layer::input;
    row("rectify/" + at,
        [](planes& p) { return [y = p.take<image>(batch), x = p.take<image>(batch)](auto& k) { k.rectify(y, x, 0.0F); }; });
    row("rectify_backward/" + at, [](planes& p) {
        return [dx = p.take<image>(batch), dy = p.take<image>(batch), y = p.take<image>(batch)](auto& k) {
            k.rectify_backward(dx, dy, y, 0.0F);
        };
    });
}

template <class Layer> void register_pooling(const std::string& at) {
    using in = typename Layer::input;
    using out = typename Layer::output;
    if constexpr (std::string_view(Layer::name) == "max_pool") {
        row("max_pool/" + at, [](planes& p) {
            return [y = p.take<out>(batch), argmax = p.take<out, std::uint8_t>(batch), x = p.take<in>(batch)](auto& k) {
                k.max_pool(y, argmax, x);
            };
        });
        row("max_pool_gather/" + at, [](planes& p) {
            return [y = p.take<out>(batch), argmax = p.take<out, std::uint8_t>(batch), x = p.take<in>(batch)](auto& k) {
                k.max_pool_gather(y, x, argmax);
            };
        });
        row("max_pool_scatter/" + at, [](planes& p) {
            return [dy = p.take<out>(batch), argmax = p.take<out, std::uint8_t>(batch), dx = p.take<in>(batch)](auto& k) {
                k.max_pool_scatter(dx, dy, argmax);
            };
        });
    } else {
        row("average_pool/" + at,
            [](planes& p) { return [y = p.take<out>(batch), x = p.take<in>(batch)](auto& k) { k.average_pool(y, x); }; });
        row("average_pool_backward/" + at,
            [](planes& p) { return [dy = p.take<out>(batch), dx = p.take<in>(batch)](auto& k) { k.average_pool_backward(dx, dy); }; });
    }
}

template <class Network> void register_head(const std::string& at) {
    using in = typename Network::features;
    using out = shape<bilevel::dynamic>;
    using weights = shape<in::count(), bilevel::dynamic>;
    row("matmul/" + at, [](planes& p) {
        return [y = p.take<out>(batch, ways), x = p.take<in>(batch), w = p.take<weights>(1, ways), b = p.take<out>(1, ways)](auto& k) {
            k.matmul(y, x, w, false);
            k.add_bias(y, b, true);
        };
    });
    row("matmul_backward_data/" + at, [](planes& p) {
        return [dx = p.take<in>(batch), dy = p.take<out>(batch, ways), w = p.take<weights>(1, ways)](auto& k) {
            k.matmul_backward_data(dx, dy, w, false);
        };
    });
    row("matmul_backward_weights/" + at, [](planes& p) {
        return [dw = p.take<weights>(1, ways), x = p.take<in>(batch), dy = p.take<out>(batch, ways)](auto& k) {
            k.matmul_backward_weights(dw, x, dy, false);
        };
    });
}

template <class Layer> void register_layer(const std::string& network, std::size_t block) {
    constexpr std::string_view name = Layer::name;
    const auto extent = [](integer i) { return std::to_string(Layer::input::extents[i]); };
    const std::string at = network + "/block:" + std::to_string(block) + "/" + extent(0) + "x" + extent(1) + "x" + extent(2);
    if constexpr (name == "convolution") {
        register_convolution<Layer>(at);
    } else if constexpr (name == "batch_norm") {
        register_batch_norm<Layer>(at);
    } else if constexpr (name == "relu") {
        register_rectifier<Layer>(at);
    } else {
        register_pooling<Layer>(at);
    }
}

/// The convolutions of all four blocks, the first block as it is read, folded, the batch norm of the second block, where nearly all of the other elements
/// are, and the layer in front of the head.
template <class Network> void register_network(const std::string& name) {
    using body = typename Network::body;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (
            [&] {
                using layer = typename body::template layer<I>;
                constexpr std::size_t depth = body::depth / 4, block = std::min<std::size_t>(I / depth, 3);
                if constexpr (block == 1 || I + 1 == body::depth || std::string_view(layer::name) == "convolution")
                    register_layer<layer>(name, block + 1);
                if constexpr (I == 0) register_folded<layer, typename body::template layer<1>>(name + "/block:1");
            }(),
            ...);
    }(std::make_index_sequence<body::depth>{});
    register_head<Network>(name + "/head");
}

/// What does not depend on the body.
template <class Network> void register_rest(const std::string& at) {
    using logits = shape<bilevel::dynamic>;
    row("softmax_cross_entropy/" + at, [](planes& p) {
        return [loss = p.take<shape<1>>(1), z = p.take<logits>(batch, ways), q = p.take<logits>(batch, ways),
                dz = p.take<logits>(batch, ways), labels = p.take<shape<1>, int>(batch)](auto& k) {
            k.softmax_cross_entropy(loss, q, z, labels);
            k.cross_entropy_backward(dz, q, labels);
        };
    });
    row("add_scaled/" + at, [](planes& p) {
        return [y = p.vector(Network::size(ways)), x = p.vector(Network::size(ways))](auto& k) { k.add_scaled(y, 1e-6F, x); };
    });
    row("copy/" + at,
        [](planes& p) { return [y = p.vector(Network::size(ways)), x = p.vector(Network::size(ways))](auto& k) { k.copy(y, x); }; });
    row("inner_products/" + at, [](planes& p) {
        return [s = p.vector(1), a = p.vector(Network::size(ways)), b = p.vector(Network::size(ways))](auto& k) {
            k.inner_products(s.data, a, b);
        };
    });
}

/// The 3 × 3 convolutions of ResNet-12, of as many images of 32 × 32 as a step of multi-task learning has; the 1 × 1 ones are in matrix_product.cpp.
template <integer Side, integer Channels, integer Filters> void register_residual(integer images) {
    const std::string at = "resnet12/" + std::to_string(Side) + "x" + std::to_string(Side) + "x" + std::to_string(Channels) + "x" +
                           std::to_string(Filters) + "/images:" + std::to_string(images);
    register_convolution<bilevel::nn::convolution<shape<Side, Side, Channels>, Filters>>(at, images);
}

[[maybe_unused]] const bool registered = [] {
    register_network<strided_64>("strided_conv4_64");
    register_network<pooled_64>("conv4_64");
    register_network<pooled_32>("conv4_32");
    register_rest<pooled_64>("conv4_64");
    register_residual<32, 3, 64>(50);
    register_residual<32, 64, 64>(50);
    register_residual<16, 64, 160>(50);
    register_residual<16, 160, 160>(50);
    register_residual<8, 320, 320>(50);
    register_residual<4, 640, 640>(50);
    register_residual<42, 160, 160>(5);
    register_residual<10, 640, 640>(5);
    return true;
}();

}  // namespace
