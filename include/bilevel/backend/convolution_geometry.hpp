// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

namespace bilevel::backend {

/// How a convolution moves over its image: the output extent is  (extent + 2 padding − kernel) / stride + 1,  rounded down.
struct convolution_geometry {
    integer stride = 1;
    integer padding = 1;

    constexpr integer output_extent(integer extent, integer kernel) const { return (extent + 2 * padding - kernel) / stride + 1; }
};

}  // namespace bilevel::backend
