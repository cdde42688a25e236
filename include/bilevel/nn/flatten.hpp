// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>

namespace bilevel::nn {

/// The same elements as one axis: a change of type, which moves nothing.    // (h,w,c) -> (h·w·c)
template <class Input> struct flatten {
    using input = Input;
    using output = shape<Input::count()>;
    using parameters = parameter_list<>;
    static constexpr const char* name = "flatten";

    static auto forward(auto&, auto x, auto) { return forwarded{as<output>(x), x}; }
    template <class D> static auto backward(auto&, auto, auto, auto, D dy) {
        if constexpr (std::is_same_v<D, nothing>) {
            return dy;
        } else {
            return as<Input>(dy);
        }
    }

private:
    template <class Shape, class Scalar, class From, activity Activity> static auto as(const array<Scalar, From, Activity>& a) {
        return array<Scalar, Shape, Activity>{a.tasks, a.batch, a.width, a.values, a.values_stride, a.tangents, a.tangents_stride};
    }
};

}  // namespace bilevel::nn
