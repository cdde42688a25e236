// expect: bilevel: a convolution has a positive stride and kernel, and a padding smaller than the kernel
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/convolution.hpp>

#ifdef BILEVEL_CONTROL
constexpr bilevel::integer padding = 0;
#else
constexpr bilevel::integer padding = 1;
#endif
bilevel::nn::convolution<bilevel::shape<8, 8, 3>, 16, 1, padding, 1> layer;
