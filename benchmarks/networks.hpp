// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/core/shape.hpp>
#include <bilevel/nn/conv4.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

/// The networks that are measured, and data of their shapes.
namespace benchmarks {

using bilevel::integer;

using omniglot = bilevel::shape<28, 28, 1>;
using mini_imagenet = bilevel::shape<84, 84, 3>;
using strided_64 = bilevel::nn::conv4_strided<omniglot, 64>;
using pooled_64 = bilevel::nn::conv4<omniglot, 64>;
using pooled_32 = bilevel::nn::conv4<mini_imagenet, 32>;

inline constexpr integer ways = 5;

/// Numbers that are neither small nor alike: standard normal.
inline bilevel::aligned_vector<float> noise(integer count, std::uint64_t stream = 0) {
    bilevel::aligned_vector<float> values(static_cast<std::size_t>(count));
    bilevel::random::generator generator(1, 1000, stream);
    for (float& value : values) value = float(generator.normal());
    return values;
}

/// Drawings in black and white: about one pixel in seven is set.
inline bilevel::aligned_vector<float> drawings(integer count, std::uint64_t stream = 0) {
    bilevel::aligned_vector<float> values(static_cast<std::size_t>(count));
    bilevel::random::generator generator(2, 1000, stream);
    for (float& value : values) value = generator.uniform() < 0.15 ? 1.0F : 0.0F;
    return values;
}

/// 0, 1, … ways − 1, 0, 1, …
inline std::vector<int> labels(integer count) {
    std::vector<int> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i) % static_cast<int>(ways);
    return values;
}

}  // namespace benchmarks
