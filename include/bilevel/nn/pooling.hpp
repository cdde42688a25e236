// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/pooling.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/core/tuple.hpp>
#include <bilevel/nn/forwarded.hpp>

namespace bilevel::nn {

/// The maximum of each 2 × 2 window; an odd last row or column is dropped.    // (h,w,c) -> (h/2,w/2,c)
template <class Input> struct max_pool {
    static_assert(Input::rank == 3 && Input::template extent<0> >= 2 && Input::template extent<1> >= 2,
                  "bilevel: max pooling reads images of at least 2 x 2: a shape<height, width, channels>");
    using input = Input;
    using output = shape<Input::template extent<0> / 2, Input::template extent<1> / 2, Input::template extent<2>>;
    using parameters = parameter_list<>;
    static constexpr const char* name = "max_pool";
    static constexpr bool output_is_free = true;

    static auto forward(auto& e, auto x, auto) {
        auto [y, argmax] = e(operation::max_pool{}, x);
        return forwarded{y, tuple{x, argmax}};
    }
    static auto backward(auto& e, auto saved, auto, auto, auto dy) {
        auto [x, argmax] = saved;
        return e.adjoint_of(x, operation::max_pool_backward<Input>{}, dy, argmax);
    }
};

/// The mean over all positions.    // (h,w,c) -> (c)
template <class Input> struct global_average_pool {
    static_assert(Input::rank == 3, "bilevel: global average pooling reads images: a shape<height, width, channels>");
    using input = Input;
    using output = shape<Input::template extent<2>>;
    using parameters = parameter_list<>;
    static constexpr const char* name = "global_average_pool";
    static constexpr bool output_is_free = true;

    static auto forward(auto& e, auto x, auto) { return forwarded{e(operation::average_pool{}, x), x}; }
    static auto backward(auto& e, auto x, auto, auto, auto dy) { return e.adjoint_of(x, operation::average_pool_backward<Input>{}, dy); }
};

}  // namespace bilevel::nn
