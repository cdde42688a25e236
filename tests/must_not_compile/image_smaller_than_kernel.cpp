// expect: bilevel: the image is smaller than the kernel of the convolution that reads it
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/convolution.hpp>

#ifdef BILEVEL_CONTROL
using image = bilevel::shape<3, 3, 8>;
#else
using image = bilevel::shape<2, 3, 8>;
#endif
bilevel::nn::convolution<image, 16, 2, 0> layer;
