// expect: bilevel: how wide the head of an nn::network is, the task says at run time \(task.outputs\): write nn::linear<features>
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/nn/linear.hpp>
#include <bilevel/nn/network.hpp>
#include <bilevel/nn/rectifier.hpp>
#include <bilevel/nn/sequential.hpp>

namespace nn = bilevel::nn;
using body = nn::sequential<nn::linear<bilevel::shape<3>, 4>, nn::relu<bilevel::shape<4>>>;
#ifdef BILEVEL_CONTROL
using head = nn::linear<body::output>;
#else
using head = nn::linear<body::output, 5>;
#endif

const bilevel::integer size = nn::network<body, head>::size(5);
