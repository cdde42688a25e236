// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "hypergradient/evaluator.hpp"
#include "hypergradient/settings.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/core/parameters.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace exchange {

/// A network that is compiled into this program. A further one is a line in networks.cpp, and a file for each scalar in networks/, where its
/// algorithms are compiled.
struct compiled_network {
    std::string name;
    integer filters = 0;
    bool for_mtl_alone = false;
    std::array<integer, 3> image{};
    integer body_size = 0, features = 0;  // elements of the body's parameters with their padding, of the features
    std::vector<bilevel::parameter_description> (*layout)(integer outputs) = nullptr;
    void (*initialise)(double* parameters, integer outputs, std::uint64_t seed) = nullptr;  // the body alone for no outputs
    std::unique_ptr<evaluator<float>> (*evaluator_in_float)(backend<float>& on, const settings& s, integer outputs) = nullptr;
    std::unique_ptr<evaluator<double>> (*evaluator_in_double)(backend<double>& on, const settings& s, integer outputs) = nullptr;

    // None where the program is not compiled for the device.
    std::unique_ptr<evaluator<float>> (*cuda_evaluator_in_float)(const settings& s, integer outputs) = nullptr;
    std::unique_ptr<evaluator<double>> (*cuda_evaluator_in_double)(const settings& s, integer outputs) = nullptr;

    /// Of the scalar, on the cpu, or on the device. Throws `bilevel::argument_error` where the program is not compiled for the latter.
    template <class Scalar>
    std::unique_ptr<evaluator<Scalar>> evaluator_on_cpu(backend<Scalar>& on, const settings& s, integer outputs) const;
    template <class Scalar> std::unique_ptr<evaluator<Scalar>> evaluator_on_cuda(const settings& s, integer outputs) const;

    /// "conv4 with 64 filters on 28x28x1"
    std::string describe() const;
    /// The parameter arrays, in order. Of mtl the head is one with a row for each training class.
    std::vector<bilevel::parameter_description> arrays(const settings& s) const;
    /// P: the elements of all of them, padding included.
    integer size(const settings& s) const;
    /// The outputs (for mtl: the training classes) for which P is `size`; 0 where there are none.
    integer outputs_of(const settings& s, integer size) const;
};

template <class Scalar>
std::unique_ptr<evaluator<Scalar>> compiled_network::evaluator_on_cpu(backend<Scalar>& on, const settings& s, integer outputs) const {
    if constexpr (std::is_same_v<Scalar, float>) {
        return evaluator_in_float(on, s, outputs);
    } else {
        return evaluator_in_double(on, s, outputs);
    }
}

template <class Scalar> std::unique_ptr<evaluator<Scalar>> compiled_network::evaluator_on_cuda(const settings& s, integer outputs) const {
    if (cuda_evaluator_in_float == nullptr)
        throw bilevel::argument_error("--backend: this program is compiled for cpu, found cuda (-DBILEVEL_CUDA=ON compiles it for both)");
    if constexpr (std::is_same_v<Scalar, float>) {
        return cuda_evaluator_in_float(s, outputs);
    } else {
        return cuda_evaluator_in_double(s, outputs);
    }
}

/// The network of these settings for images of this shape. Throws `bilevel::argument_error` that names all that are compiled, or where it is compiled for
/// other algorithms.
const compiled_network& find_network(const settings& s, std::span<const integer> image);

}  // namespace exchange
