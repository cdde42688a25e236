// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/shape.hpp>

#include <type_traits>

namespace bilevel {

/// One vector of `size` elements for each task (parameters, gradients, directions); a view. Stride 0: all tasks share one vector.
template <class Scalar> struct rows {
    using scalar = Scalar;
    Scalar* data = nullptr;
    integer stride = 0;
    integer tasks = 0;
    integer size = 0;

    constexpr Scalar* row(integer t) const { return data + t * stride; }
    constexpr rows part(integer offset, integer count) const { return {data + offset, stride, tasks, count}; }
    constexpr operator rows<const Scalar>() const
        requires(!std::is_const_v<Scalar>)
    {
        return {data, stride, tasks, size};
    }
};

}  // namespace bilevel
