// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>

namespace bilevel::nn {

/// What comes in goes out: the shortcut around layers that keep the shape.
template <class Input> struct identity {
    using input = Input;
    using output = Input;
    using parameters = parameter_list<>;
    static constexpr const char* name = "identity";

    static auto forward(auto&, auto x, auto) { return forwarded{x, nothing{}}; }
    static auto backward(auto&, auto, auto, auto, auto dy) { return dy; }
};

}  // namespace bilevel::nn
