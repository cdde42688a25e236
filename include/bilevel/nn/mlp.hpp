// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/nn/linear.hpp>
#include <bilevel/nn/network.hpp>
#include <bilevel/nn/rectifier.hpp>
#include <bilevel/nn/sequential.hpp>

namespace bilevel::nn {

namespace detail {
template <class Input, integer... Widths> struct hidden {
    static_assert(sizeof...(Widths) > 0, "bilevel: nn::mlp has at least one hidden layer: write its width behind the input");
};
template <class Input, integer Width> struct hidden<Input, Width> {
    using type = sequential<linear<Input, Width, initialise::kaiming>, relu<shape<Width>>>;
};
template <class Input, integer Width, integer Next, integer... Widths> struct hidden<Input, Width, Next, Widths...> {
    using type = joined<typename hidden<Input, Width>::type, typename hidden<shape<Width>, Next, Widths...>::type>;
};
}  // namespace detail

/// A multi-layer perceptron: hidden layers of the given widths, each with ReLU, and a linear head.
template <class Input, integer... Widths>
using mlp = network<typename detail::hidden<Input, Widths...>::type,
                    linear<typename detail::hidden<Input, Widths...>::type::output, dynamic, initialise::lecun>>;

}  // namespace bilevel::nn
