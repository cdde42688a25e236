// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/rows.hpp>
#include <bilevel/core/workspace.hpp>

namespace bilevel {

/// One vector of `size` elements a task from a workspace, all zero: kernels write parameters, never the padding between them, and sums over a whole
/// vector must not see anything there.
template <class Scalar> rows<Scalar> take_rows(workspace& from, integer tasks, integer size) {
    const integer stride = padded(size);
    return {from.template take_zeros<Scalar>(tasks * stride), stride, tasks, size};
}

/// Bytes that `count` such rows take.
template <class Scalar> constexpr std::size_t bytes_of_rows(integer count, integer tasks, integer size) {
    return static_cast<std::size_t>(count * tasks * padded(size)) * sizeof(Scalar);
}

/// A view of rows that a program only reads, as the handles want it: they have one element type for what is read and what is written.
template <class Scalar> rows<Scalar> readable(rows<const Scalar> r) { return {const_cast<Scalar*>(r.data), r.stride, r.tasks, r.size}; }

}  // namespace bilevel
