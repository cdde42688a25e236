// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/raster.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The tiles of Outputs × Outputs pixels of all images of a task, row by row, for `winograd`; those at the end of a row or column may reach beyond the image.
template <integer Outputs> struct winograd_tiles {
    integer images, height, width, rows, columns;
    template <class Scalar>
    explicit winograd_tiles(const view<const Scalar>& x)
        : images(x.batch), height(x.extents[0]), width(x.extents[1]), rows((height + Outputs - 1) / Outputs),
          columns((width + Outputs - 1) / Outputs) {}
    integer count() const { return images * rows * columns; }
    /// f(tile in the block, image, first row, first column) for tiles first … first + count − 1.
    template <class F> void for_each(integer first, integer here, F f) const {
        raster tile(rows, columns, first);
        for (integer t = 0; t < here; ++t, tile.next()) f(t, tile.image, Outputs * tile.row, Outputs * tile.column);
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
