// expect: bilevel: shapes do not fit
// expect: shape<28, 28, 16>.*shape<28, 28, 8>|shape<28, 28, 8>.*shape<28, 28, 16>
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/batch_norm.hpp>
#include <bilevel/nn/convolution.hpp>
#include <bilevel/nn/sequential.hpp>

namespace nn = bilevel::nn;
using bilevel::shape;
#ifdef BILEVEL_CONTROL
constexpr bilevel::integer filters = 16;
#else
constexpr bilevel::integer filters = 8;
#endif
nn::sequential<nn::convolution<shape<28, 28, 1>, filters>, nn::batch_norm<shape<28, 28, 16>>> body;
