// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The pixels of several images of one size as one sequence, row by row: where the n-th one lies, and the next.
struct raster {
    integer height, width;
    integer image, row, column;
    raster(integer h, integer w, integer first = 0) : height(h), width(w), image(first / (h * w)), row(first / w % h), column(first % w) {}
    void next() {
        if (++column < width) return;
        column = 0;
        if (++row < height) return;
        row = 0;
        ++image;
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
