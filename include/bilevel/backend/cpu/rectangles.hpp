// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Rows and columns of a matrix.
struct rectangle {
    integer first_row, end_row, first_column, end_column;
    integer rows() const { return end_row - first_row; }
    integer columns() const { return end_column - first_column; }
};

/// A matrix cut into a power of two of rectangles, as square as they can be, whose sides are multiples of the units, but for the last ones.
class rectangles {
public:
    /// At most `most` of them.
    rectangles(integer rows, integer row_unit, integer columns, integer column_unit, integer most)
        : rows_{rows, row_unit}, columns_{columns, column_unit} {
        while (2 * count() <= most && (rows_.can_halve() || columns_.can_halve())) {
            const bool down = rows_.can_halve() && (!columns_.can_halve() || rows * columns_.parts >= columns * rows_.parts);
            (down ? rows_ : columns_).parts *= 2;
        }
    }
    integer count() const { return rows_.parts * columns_.parts; }
    integer most_rows() const { return rows_.longest(); }
    integer most_columns() const { return columns_.longest(); }
    rectangle operator[](integer i) const {
        const integer row = i / columns_.parts, column = i % columns_.parts;
        return {rows_.begin(row), rows_.begin(row + 1), columns_.begin(column), columns_.begin(column + 1)};
    }

private:
    struct side {
        integer extent, unit, parts = 1;
        integer units() const { return (extent + unit - 1) / unit; }
        bool can_halve() const { return units() >= 2 * parts; }
        integer longest() const { return std::min((units() + parts - 1) / parts * unit, extent); }
        integer begin(integer part) const { return std::min(units() * part / parts * unit, extent); }
    };
    side rows_, columns_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
