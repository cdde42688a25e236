// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient/make_evaluator.hpp"

template std::unique_ptr<exchange::evaluator<double>> exchange::make_evaluator<exchange::resnet12_mini_imagenet, double>(backend<double>&,
                                                                                                                         const settings&,
                                                                                                                         integer);
