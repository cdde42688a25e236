// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "hypergradient/evaluator.hpp"
#include "hypergradient/settings.hpp"

#include <bilevel/core/shape.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/nn/mlp.hpp>

#include <memory>

/// The types of the networks that are compiled into this program.
namespace exchange {

using conv4_omniglot = bilevel::nn::conv4<bilevel::shape<28, 28, 1>, 64>;
using conv4_mini_imagenet = bilevel::nn::conv4<bilevel::shape<84, 84, 3>, 32>;
using mlp_omniglot = bilevel::nn::mlp<bilevel::shape<28, 28, 1>, 64, 64>;

/// The evaluator of the algorithm that the settings name; `outputs` are the ways, for mtl the training classes.
/// Compiled in networks/, a network and a scalar in each file (make_evaluator.hpp).
template <class Network, class Scalar>
std::unique_ptr<evaluator<Scalar>> make_evaluator(backend<Scalar>& on, const settings& s, integer outputs);

}  // namespace exchange
