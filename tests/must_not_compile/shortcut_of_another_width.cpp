// expect: bilevel: shapes do not fit
// expect: shape<8, 8, 16>.*shape<8, 8, 3>|shape<8, 8, 3>.*shape<8, 8, 16>
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/residual.hpp>

namespace nn = bilevel::nn;
using image = bilevel::shape<8, 8, 3>;
#ifdef BILEVEL_CONTROL
nn::residual<nn::convolution<image, 16>, nn::convolution_1x1<image, 16>> layer;
#else
nn::residual<nn::convolution<image, 16>> layer;  // around it the image itself
#endif
