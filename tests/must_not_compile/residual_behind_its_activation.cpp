// expect: bilevel: nn::residual adds its shortcut to the output of its body in place.*an activation goes behind the residual
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/rectifier.hpp>
#include <bilevel/nn/residual.hpp>

namespace nn = bilevel::nn;
using image = bilevel::shape<8, 8, 3>;
#ifdef BILEVEL_CONTROL
nn::sequential<nn::residual<nn::convolution<image, 3>>, nn::relu<image>> body;
#else
nn::sequential<nn::residual<nn::sequential<nn::convolution<image, 3>, nn::relu<image>>>> body;
#endif
