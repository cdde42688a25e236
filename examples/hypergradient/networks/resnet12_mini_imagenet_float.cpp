// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient/make_evaluator.hpp"

template std::unique_ptr<exchange::evaluator<float>> exchange::make_evaluator<exchange::resnet12_mini_imagenet, float>(backend<float>&,
                                                                                                                       const settings&,
                                                                                                                       integer);
