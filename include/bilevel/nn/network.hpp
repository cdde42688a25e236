// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/parameters.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/nn/sequential.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace bilevel::nn {

/// A body, whose shapes are fixed at compile time, and a head, whose width (the outputs) is known at run time.
/// Its parameters are one vector: the body's layers in order, then the head.
template <class Body, class Head> struct network {
    using body = Body;
    using head = Head;
    using input = typename Body::input;
    using features = typename Body::output;
    static_assert(require_shape<expected<typename Head::input>, given<features>>::value);
    static_assert(
        std::is_same_v<typename Head::output, shape<dynamic>>,
        "bilevel: how wide the head of an nn::network is, the task says at run time (task.outputs): write nn::linear<features>, without a number");
    static constexpr integer body_size = Body::parameters::size();          // stored elements, padding included
    static constexpr integer statistics_size = Body::statistics_size;       // of all batch norms
    static constexpr integer size(integer outputs) { return body_size + Head::parameters::size(outputs); }
    static constexpr integer count(integer outputs) { return Body::parameters::count() + Head::parameters::count(outputs); }

    /// How many numbers of one input a batch norm of the body normalises together, the fewest of all; 0 where there is no batch norm.
    static integer fewest_normalised() {
        static const integer fewest = [] {
            integer least = 0;
            auto look = [&]<class Layer>(std::type_identity<Layer>, const std::string&) {
                if constexpr (detail::statistics_size<Layer>() > 0) {
                    constexpr integer positions = Layer::input::template extent<0> * Layer::input::template extent<1>;
                    least = least == 0 ? positions : std::min(least, positions);
                }
            };
            Body::visit_layers("", look);
            return least;
        }();
        return fewest;
    }

    /// Every parameter array with its name, offset and extents, in the order of the vector.
    static std::vector<parameter_description> layout(integer outputs) {
        std::vector<parameter_description> all;
        for_each_parameter(outputs, [&]<class Parameter>(std::type_identity<Parameter>, const std::string& name, integer offset) {
            using array_shape = typename Parameter::shape;
            std::vector<integer> extents;
            for (const integer e : array_shape::extents) extents.push_back(e == dynamic ? outputs : e);
            all.push_back({name, offset, extents, std::string(Parameter::axes)});
        });
        return all;
    }

    /// Fills one parameter vector; array number i draws from (seed, initialisation, i). Padding is zero.
    template <class Scalar> static void initialise(Scalar* parameters, integer outputs, std::uint64_t seed) {
        initialise(parameters, size(outputs), outputs, seed);
    }
    /// The same for the body alone.
    template <class Scalar> static void initialise_body(Scalar* parameters, std::uint64_t seed) {
        initialise(parameters, body_size, 1, seed);
    }

    /// The running statistics before the first step: mean 0, variance 1.
    template <class Scalar> static void initialise_statistics(Scalar* statistics) {
        auto fill = [&]<class Layer>(std::type_identity<Layer>, const std::string&) {
            constexpr integer n = detail::statistics_size<Layer>();
            std::fill(statistics, statistics + n / 2, Scalar(0));
            std::fill(statistics + n / 2, statistics + n, Scalar(1));
            statistics += n;
        };
        Body::visit_layers("", fill);
    }

private:
    template <class Scalar> static void initialise(Scalar* parameters, integer end, integer outputs, std::uint64_t seed) {
        std::fill(parameters, parameters + end, Scalar(0));
        std::uint64_t number = 0;
        for_each_parameter(outputs, [&]<class Parameter>(std::type_identity<Parameter>, const std::string&, integer offset) {
            using array_shape = typename Parameter::shape;
            if (offset >= end) return;
            random::generator generator(seed, std::uint64_t(random::purpose::initialisation), number++);
            const integer last =
                array_shape::extents[array_shape::rank - 1] == dynamic ? outputs : array_shape::extents[array_shape::rank - 1];
            const integer n = array_shape::count(outputs);
            for (integer i = 0; i < n; ++i) parameters[offset + i] = Scalar(Parameter::initialiser::value(generator, n / last));
        });
    }

    template <class Parameter, class Visit>
    static void visit_parameter(integer outputs, const std::string& layer_name, integer& offset, Visit& visit) {
        visit(std::type_identity<Parameter>{}, layer_name + "." + std::string(Parameter::name), offset);
        offset += padded(Parameter::shape::count(outputs));
    }
    template <class... Parameters, class Visit>
    static void visit_layer(parameter_list<Parameters...>, [[maybe_unused]] integer outputs, [[maybe_unused]] const std::string& layer_name,
                            [[maybe_unused]] integer& offset, [[maybe_unused]] Visit& visit) {
        (visit_parameter<Parameters>(outputs, layer_name, offset, visit), ...);
    }
    template <class Visit> static void for_each_parameter(integer outputs, Visit visit) {
        integer offset = 0;
        auto visit_arrays = [&]<class Layer>(std::type_identity<Layer>, const std::string& name) {
            visit_layer(typename Layer::parameters{}, outputs, name, offset, visit);
        };
        Body::visit_layers("", visit_arrays);
        visit_layer(typename Head::parameters{}, outputs, "head", offset, visit);
    }
};

}  // namespace bilevel::nn
