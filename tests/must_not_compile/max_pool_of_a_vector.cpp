// expect: bilevel: max pooling reads images of at least 2 x 2
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/pooling.hpp>

#ifdef BILEVEL_CONTROL
using input = bilevel::shape<4, 4, 8>;
#else
using input = bilevel::shape<128>;
#endif
bilevel::nn::max_pool<input> layer;
