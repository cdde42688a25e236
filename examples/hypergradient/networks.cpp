// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient/networks.hpp"

#include "hypergradient/instances.hpp"

#include <bilevel/core/array.hpp>
#include <bilevel/core/error.hpp>

#include <algorithm>

namespace exchange {

namespace {

std::string text(std::span<const integer> image) {
    std::string all;
    for (const integer extent : image) {
        if (!all.empty()) all += 'x';
        all += std::to_string(extent);
    }
    return all;
}

template <class Network> compiled_network describe(const char* name, integer filters) {
    using input = typename Network::input;
    return {.name = name,
            .filters = filters,
            .for_mtl_alone = for_mtl_alone<Network>,
            .image = {input::extents[0], input::extents[1], input::extents[2]},
            .body_size = Network::body_size,
            .features = Network::features::count(),
            .layout = &Network::layout,
            .initialise =
                [](double* parameters, integer outputs, std::uint64_t seed) {
                    if (outputs > 0) {
                        Network::initialise(parameters, outputs, seed);
                    } else {
                        Network::initialise_body(parameters, seed);
                    }
                },
            .evaluator_in_float = &make_evaluator<Network, float>,
            .evaluator_in_double = &make_evaluator<Network, double>,
#ifdef HYPERGRADIENT_CUDA
            .cuda_evaluator_in_float = &make_cuda_evaluator<Network, float>,
            .cuda_evaluator_in_double = &make_cuda_evaluator<Network, double>
#endif
    };
}

const std::vector<compiled_network>& all_networks() {
    static const std::vector<compiled_network> all{
        describe<conv4_omniglot>("conv4", 64),      describe<mlp_omniglot>("mlp", 64),
        describe<resnet12_cifar>("resnet12", 64),
#ifndef HYPERGRADIENT_ON_SMALL_IMAGES_ALONE  // which the tests do with, and need not wait for the others to compile
        describe<conv4_mini_imagenet>("conv4", 32), describe<resnet12_mini_imagenet>("resnet12", 64),
#endif
    };
    return all;
}

}  // namespace

std::string compiled_network::describe() const { return name + " with " + std::to_string(filters) + " filters on " + text(image); }

std::vector<bilevel::parameter_description> compiled_network::arrays(const settings& s) const {
    auto all = layout(s.ways);
    if (!s.is_mtl()) return all;
    all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& a) { return a.offset >= body_size; }), all.end());
    all.push_back({"head.weight", body_size, {s.classes, features}, "classes,in"});
    return all;
}

integer compiled_network::size(const settings& s) const {
    const auto last = arrays(s).back();
    return last.offset + bilevel::padded(last.count());
}

integer compiled_network::outputs_of(const settings& s, integer size) const {
    settings of = s;
    integer& outputs = s.is_mtl() ? of.classes : of.ways;
    // An output is `features` weights and a bias, and padding adds less than 32 elements.
    outputs = std::max<integer>(1, (size - body_size - 32) / (features + 1));
    while (this->size(of) < size) ++outputs;
    return this->size(of) == size ? outputs : 0;
}

const compiled_network& find_network(const settings& s, std::span<const integer> image) {
    std::string known;
    for (const auto& n : all_networks()) {
        if (n.name == s.network && n.filters == s.filters && std::equal(image.begin(), image.end(), n.image.begin(), n.image.end())) {
            if (n.for_mtl_alone && !s.is_mtl())
                throw bilevel::argument_error("--algorithm: " + s.network + " is compiled for mtl alone, found " + s.algorithm);
            return n;
        }
        if (!known.empty()) known += ", ";
        known += n.describe();
    }
    throw bilevel::argument_error("--network, --filters: expected one of those that this program is compiled for (" + known + "), found " +
                                  s.network + " with " + std::to_string(s.filters) + " filters on " + text(image));
}

}  // namespace exchange
