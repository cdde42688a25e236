// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_algorithm.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/shape.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/testing/every_primitive.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "networks.hpp"
#include "primitive_row.hpp"
#include "primitives_of_layers.hpp"

/// Every primitive at the shapes at which the networks call it, which are read off the networks: five examples a task where the name of a row says nothing
/// else; the convolutions of Conv-4 once more with the 25 of five shots.
namespace benchmarks {

template <class Machine, class Network> void register_head(const std::string& network, integer tasks) {
    using in = typename Network::features;
    using out = shape<dynamic>;
    using weights = shape<in::count(), dynamic>;
    constexpr integer n = ways;
    const place at{network + "/head/" + extents_of<weights>(ways), n, tasks};
    BILEVEL_ROW(matmul, at, p.take<out>(n, ways), p.take<in>(n), p.take<weights>(1, ways), false);
    BILEVEL_ROW(matmul_backward_data, at, p.take<in>(n), p.take<out>(n, ways), p.take<weights>(1, ways), false);
    BILEVEL_ROW(matmul_backward_weights, at, p.take<weights>(1, ways), p.take<in>(n), p.take<out>(n, ways), false);
    BILEVEL_ROW(add_bias, at, p.take<out>(n, ways), p.take<out>(1, ways), true);
    BILEVEL_ROW(sum_over_batch, at, p.take<out>(1, ways), p.take<out>(n, ways), false);
}

template <class Machine, class Network, std::size_t I> void register_layer_of_conv4(const std::string& network, integer tasks) {
    using body = typename Network::body;
    using layer = typename body::template layer<I>;
    constexpr std::size_t depth = body::depth / 4, block = std::min<std::size_t>(I / depth, 3);
    constexpr std::string_view kind = layer::name;
    const place at{network + "/block:" + std::to_string(block + 1) + '/' + extents_of<typename layer::input>(), ways, tasks};
    if constexpr (I == 0) register_folded<Machine, layer, typename body::template layer<1>>(at);
    if constexpr (kind == "convolution") {
        using enum convolution_algorithm;
        register_convolution<Machine, layer>(at, {direct, direct_across_images, winograd_2x2, winograd_4x4});
        constexpr integer five_shots = 5 * ways;
        register_convolution<Machine, layer>({at.name + "/images:" + std::to_string(five_shots), five_shots, tasks}, {});
    } else if constexpr (block > 0 || I + 1 == body::depth) {
        if constexpr (kind == "batch_norm") {
            register_batch_norm<Machine, layer>(at);
        } else {
            register_plain<Machine, layer>(at);
        }
    }
}
/// The convolutions of all four blocks, the first block as it is read, folded, the batch norm of the others, and the layer in front of the head.
template <class Machine, class Network> void register_conv4(const std::string& network, integer tasks) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (register_layer_of_conv4<Machine, Network, I>(network, tasks), ...);
    }(std::make_index_sequence<Network::body::depth>{});
    register_head<Machine, Network>(network, tasks);
}

template <class Layer> concept residual = requires { typename Layer::shortcut; };

template <class Shape> place place_in_resnet12(integer n) {
    return {"resnet12/" + extents_of<Shape>() + "/images:" + std::to_string(n), n};
}
template <class Machine, class Convolution> void register_convolution_of_resnet12(integer n) {
    using in = typename Convolution::input;
    using pixels_and_filters =
        shape<in::template extent<0>, in::template extent<1>, in::template extent<2>, Convolution::output::template extent<2>>;
    using enum convolution_algorithm;
    const auto at = place_in_resnet12<pixels_and_filters>(n);
    if (n == ways && in::template extent<0> <= 8) {  // where the choice depends on the images
        register_convolution<Machine, Convolution>(at, {direct_across_images, winograd_2x2, winograd_4x4});
    } else {
        register_convolution<Machine, Convolution>(at, {winograd_4x4});
    }
}
template <class Machine, class Image, std::size_t I> void register_layer_of_resnet12(integer n) {
    using body = typename bilevel::nn::resnet12<Image>::body;
    using layer = typename body::template layer<I>;
    if constexpr (residual<layer>) {
        using inner = typename layer::body;
        using first = typename inner::template layer<0>;
        using second = typename inner::template layer<2>;
        register_convolution_of_resnet12<Machine, first>(n);
        register_convolution_of_resnet12<Machine, second>(n);
        if constexpr (I == 0) {
            register_folded<Machine, first, typename inner::template layer<1>>(place_in_resnet12<Image>(n));
            register_batch_norm<Machine, typename inner::template layer<3>>(place_in_resnet12<typename second::output>(n));
        }
    } else if constexpr (I < body::depth / 4 || I + 1 == body::depth) {
        register_plain<Machine, layer>(place_in_resnet12<typename layer::input>(n));
    }
}
/// The 3 × 3 convolutions of all four blocks (the 1 × 1 ones are in matrix_product.cpp), what else the first block has, where most of the other elements
/// are, and the layer in front of the head: of one task, with n images.
template <class Machine, class Image> void register_resnet12(integer n) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (register_layer_of_resnet12<Machine, Image, I>(n), ...);
    }(std::make_index_sequence<bilevel::nn::resnet12<Image>::body::depth>{});
}

struct moving_average {
    float* x;
    const float* g;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { x[i] = 0.9F * x[i] + 0.1F * g[i]; }
};

/// What does not depend on the body: losses, the class-wise head of multi-task learning, and vectors as long as the parameters.
template <class Machine, class Network> void register_rest(const std::string& network, integer tasks) {
    using logits = shape<dynamic>;
    using one = shape<1>;
    using features = typename Network::features;
    using head = shape<dynamic, features::count()>;
    using weights = shape<features::count(), dynamic>;
    constexpr integer n = ways, classes = 64;
    const place of_logits{network + "/logits:" + std::to_string(ways), n, tasks};
    const auto z = [=](planes& p) { return p.take<logits>(n, ways); };
    const auto labels = [=](planes& p) { return p.take<one, int>(n); };
    BILEVEL_ROW(softmax_cross_entropy, of_logits, p.take<one>(1), z(p), z(p), labels(p));
    BILEVEL_ROW(softmax_tangent, of_logits, z(p), z(p), z(p));
    BILEVEL_ROW(cross_entropy_tangent, of_logits, p.take<one>(1), z(p), z(p), labels(p));
    BILEVEL_ROW(cross_entropy_backward, of_logits, z(p), z(p), labels(p));
    BILEVEL_ROW(scale, of_logits, z(p), z(p), 0.2F);
    BILEVEL_ROW(count_correct, of_logits, p.take<one>(1), z(p), labels(p));

    const place of_classes{network + "/classes:" + std::to_string(classes), n, tasks};
    BILEVEL_ROW(gather_classes, of_classes, p.take<weights>(1, ways), p.shared<head>(1, classes), labels(p));
    BILEVEL_ROW(scatter_classes, of_classes, p.shared<head>(1, classes), p.take<weights>(1, ways), labels(p));

    const integer size = Network::size(ways);
    const place of_parameters{network + "/size:" + std::to_string(size), 1, tasks},
        with_factors{network + "/factors/size:" + std::to_string(size), 1, tasks}, of_state{of_parameters.name};  // which all tasks share
    BILEVEL_ROW(fill, of_parameters, p.vector(size), 1.0F);
    BILEVEL_ROW(copy, of_parameters, p.vector(size), p.vector(size));
    BILEVEL_ROW(add_scaled, of_parameters, p.vector(size), 1e-6F, p.vector(size));
    BILEVEL_ROW(add_scaled, with_factors, p.vector(size), static_cast<const float*>(p.ones<one>().data), p.vector(size));
    BILEVEL_ROW(scale_and_add, of_parameters, p.vector(size), static_cast<const float*>(p.ones<one>().data), p.vector(size));
    BILEVEL_ROW(inner_products, of_parameters, p.vector(1).data, p.vector(size), p.vector(size));
    BILEVEL_ROW(for_each_index, of_state, size, moving_average{p.vector(size).data, p.vector(size).data});
}

/// The network and the loss of examples/sinusoids.cpp.
template <class Machine> void register_regression(integer tasks) {
    using network = bilevel::nn::mlp<shape<1>, 40, 40>;
    using output = shape<dynamic>;
    constexpr integer n = 10;
    const std::string images = "/examples:" + std::to_string(n);
    const place at{"mlp/1" + images, n, tasks};
    register_plain<Machine, typename network::body::template layer<1>>({"mlp/40" + images, n, tasks});
    BILEVEL_ROW(squared_error, at, p.take<shape<1>>(1), p.take<output>(n, 1), p.take<output>(n, 1), p.take<output>(n, 1));
    BILEVEL_ROW(squared_error_tangent, at, p.take<shape<1>>(1), p.take<output>(n, 1), p.take<output>(n, 1));
}

/// So that a primitive that is new gets a row.
template <class Machine> void require_rows() {
#define BILEVEL_REQUIRE(NAME) \
    if (!primitives_with_rows().contains(#NAME)) throw std::logic_error("benchmark_primitives: no row of " #NAME);
    BILEVEL_EVERY_PRIMITIVE(BILEVEL_REQUIRE)
    if constexpr (bilevel::backend::convolution_tangent_kernels<typename Machine::kernels>) {
        BILEVEL_EVERY_OPTIONAL_PRIMITIVE(BILEVEL_REQUIRE)
    }
#undef BILEVEL_REQUIRE
}

/// Conv-4, what does not depend on the body, and the regression with so many tasks at once, ResNet-12 with one.
template <class Machine> void register_every_primitive(integer tasks) {
    register_conv4<Machine, strided_64>("strided_conv4_64", tasks);
    register_conv4<Machine, pooled_64>("conv4_64", tasks);
    register_conv4<Machine, bilevel::nn::conv4<shape<32, 32, 3>, 64>>("conv4_64", tasks);
    register_conv4<Machine, pooled_32>("conv4_32", tasks);
    register_rest<Machine, pooled_64>("conv4_64", tasks);
    register_regression<Machine>(tasks);
    register_resnet12<Machine, shape<32, 32, 3>>(50);
    register_resnet12<Machine, shape<32, 32, 3>>(ways);
    register_resnet12<Machine, shape<84, 84, 3>>(ways);
    require_rows<Machine>();
}

}  // namespace benchmarks
