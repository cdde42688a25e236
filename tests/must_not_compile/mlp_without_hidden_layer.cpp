// expect: bilevel: nn::mlp has at least one hidden layer
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/mlp.hpp>

#ifdef BILEVEL_CONTROL
using network = bilevel::nn::mlp<bilevel::shape<3>, 4>;
#else
using network = bilevel::nn::mlp<bilevel::shape<3>>;
#endif

const bilevel::integer size = network::size(5);
