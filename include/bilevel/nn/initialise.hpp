// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <cmath>

namespace bilevel::nn {

/// How a parameter array begins. Each initialiser is a type with  value(generator, fan_in), the number of one element; fan_in is the number of
/// terms that one output sums: the product of all extents but the last.
namespace initialise {

/// 0: shifts and biases.
struct zeros {
    static double value(auto&, integer) { return 0; }
};

/// 1: the gains of batch norm.
struct ones {
    static double value(auto&, integer) { return 1; }
};

/// Normal, standard deviation √(2 / fan_in) [He15].
struct kaiming {
    static double value(auto& generator, integer fan_in) { return std::sqrt(2.0 / double(fan_in)) * generator.normal(); }
};

/// Normal, standard deviation 0.01, as the heads of [Finn17] begin.
struct small {
    static double value(auto& generator, integer) { return 0.01 * generator.normal(); }
};

/// Normal, standard deviation √(1 / fan_in).
struct lecun {
    static double value(auto& generator, integer fan_in) { return std::sqrt(1.0 / double(fan_in)) * generator.normal(); }
};

}  // namespace initialise

}  // namespace bilevel::nn
