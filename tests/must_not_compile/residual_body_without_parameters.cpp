// expect: bilevel: the body of nn::residual has parameters; where only the shortcut has any, exchange the two
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/pooling.hpp>
#include <bilevel/nn/residual.hpp>

namespace nn = bilevel::nn;
using image = bilevel::shape<8, 8, 3>;
#ifdef BILEVEL_CONTROL
nn::residual<nn::convolution_1x1<image, 3, 2>, nn::max_pool<image>> layer;
#else
nn::residual<nn::max_pool<image>, nn::convolution_1x1<image, 3, 2>> layer;
#endif
