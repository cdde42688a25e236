// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/eigen.hpp>
#include <bilevel/core/integer.hpp>

#include <cstddef>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Products of contiguous row-major matrices by Eigen's blocked kernel, with packing buffers of its own: Eigen's operators would take theirs from the
/// heap in every call. The blocks depend on the extents alone, neither on the machine's caches nor on the threads, and so do the bits of the result.
template <class Scalar> class matrix_product {
public:
    /// y += x w    // y (rows, columns)  x (rows, depth)  w (depth, columns)
    void add(Scalar* y, const Scalar* x, const Scalar* w, integer rows, integer depth, integer columns) {
        run<Eigen::ColMajor, Eigen::ColMajor>(columns, rows, depth, w, columns, x, depth, y);
    }
    /// x += y wᵀ    // x (rows, depth)  y (rows, columns)  w (depth, columns)
    void add_by_transposed(Scalar* x, const Scalar* y, const Scalar* w, integer rows, integer depth, integer columns) {
        run<Eigen::RowMajor, Eigen::ColMajor>(depth, rows, columns, w, columns, y, columns, x);
    }
    /// w += xᵀ y    // w (depth, columns)  x (rows, depth)  y (rows, columns)
    void add_transposed_by(Scalar* w, const Scalar* x, const Scalar* y, integer rows, integer depth, integer columns) {
        run<Eigen::ColMajor, Eigen::RowMajor>(columns, depth, rows, y, columns, x, depth, w);
    }

private:
    static constexpr integer largest_depth = 384, largest_rows = 384,
                             largest_columns = 384;  // 3 · 2⁷: whole register tiles, 576 KiB of float each

    struct blocking : Eigen::internal::level3_blocking<Scalar, Scalar> {
        blocking(integer depth, Scalar* left, Scalar* right) {
            const integer parts = (depth + largest_depth - 1) / largest_depth;
            this->m_kc = ((depth + parts - 1) / parts + 7) / 8 * 8;
            this->m_mc = largest_rows;
            this->m_nc = largest_columns;
            this->m_blockA = left;
            this->m_blockB = right;
        }
    };

    /// res += left right, all three seen as column-major matrices: a row-major product is the transposed one with its factors swapped.
    template <int LeftOrder, int RightOrder>
    void run(integer rows, integer columns, integer depth, const Scalar* left, integer left_stride, const Scalar* right,
             integer right_stride, Scalar* result) {
        using product = Eigen::internal::general_matrix_matrix_product<Eigen::Index, Scalar, LeftOrder, false, Scalar, RightOrder, false,
                                                                       Eigen::ColMajor, 1>;
        if (rows == 0 || columns == 0 || depth == 0) return;
        if (left_.empty()) {
            left_.resize(static_cast<std::size_t>(largest_rows * largest_depth));
            right_.resize(static_cast<std::size_t>(largest_columns * largest_depth));
        }
        blocking blocks(depth, left_.data(), right_.data());
        product::run(rows, columns, depth, left, left_stride, right, right_stride, result, 1, rows, Scalar(1), blocks, nullptr);
    }

    aligned_vector<Scalar> left_, right_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
