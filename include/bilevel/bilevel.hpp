// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// What trains: backends of the host, layers and networks, losses, problems, policies and the algorithms. Data sets (bilevel/data), measuring (bilevel/evaluation),
// files (bilevel/io) and objectives for problems of one's own that not everybody has (bilevel/objective/least_squares.hpp, weighted_sum.hpp) are included where they are needed.

#if __cplusplus < 202002L
#error "bilevel: this library is written in C++20: compile with -std=c++20 or later"
#endif

#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/core/version.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/nn/flatten.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/nn/resnet12.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/differentiated.hpp>
#include <bilevel/objective/mean_squared_error.hpp>
#include <bilevel/objective/quadratic.hpp>
#include <bilevel/outer/gradient_descent.hpp>
#include <bilevel/problem/hyperparameter.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/problem/task.hpp>
