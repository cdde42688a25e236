// expect: bilevel: nn::resnet12 reads images of at least 16 x 16
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/resnet12.hpp>

#ifdef BILEVEL_CONTROL
using image = bilevel::shape<16, 16, 3>;
#else
using image = bilevel::shape<8, 8, 3>;
#endif
constexpr bilevel::integer size = bilevel::nn::resnet12<image>::body_size;
