// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// All of the host library but for what reads and writes files (bilevel/data/*.hpp, bilevel/io/*.hpp), which a program includes where it needs it.

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
