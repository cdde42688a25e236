// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "hypergradient/evaluator.hpp"
#include "hypergradient/settings.hpp"

#include <bilevel/core/shape.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/nn/resnet12.hpp>

#include <memory>

/// The types of the networks that are compiled into this program.
namespace exchange {

using conv4_omniglot = bilevel::nn::conv4<bilevel::shape<28, 28, 1>, 64>;
using conv4_mini_imagenet = bilevel::nn::conv4<bilevel::shape<84, 84, 3>, 32>;
using mlp_omniglot = bilevel::nn::mlp<bilevel::shape<28, 28, 1>, 64, 64>;
using resnet12_cifar = bilevel::nn::resnet12<bilevel::shape<32, 32, 3>>;
using resnet12_mini_imagenet = bilevel::nn::resnet12<bilevel::shape<84, 84, 3>>;

/// Networks that are compiled for mtl alone: ResNet-12 is trained so, and all algorithms would take the compiler minutes.
template <class Network> inline constexpr bool for_mtl_alone = false;
template <> inline constexpr bool for_mtl_alone<resnet12_cifar> = true;
template <> inline constexpr bool for_mtl_alone<resnet12_mini_imagenet> = true;

/// The evaluator of the algorithm that the settings name; `outputs` are the ways, for mtl the training classes.
/// Compiled in networks/, a network and a scalar in each file (make_evaluator.hpp).
template <class Network, class Scalar>
std::unique_ptr<evaluator<Scalar>> make_evaluator(backend<Scalar>& on, const settings& s, integer outputs);

#ifdef HYPERGRADIENT_CUDA
/// The same on the current device, whose backend it holds. Compiled in sources that the build makes (make_cuda_evaluator.cuh).
template <class Network, class Scalar> std::unique_ptr<evaluator<Scalar>> make_cuda_evaluator(const settings& s, integer outputs);
#endif

}  // namespace exchange
