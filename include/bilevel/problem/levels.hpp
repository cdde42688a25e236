// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/explain.hpp>

#include <span>

namespace bilevel {

/// The two objectives of one task, written by the user; a batch is a contiguous range of them. See core/explain.hpp for what each has to offer.
template <class Inner, class Outer> struct levels {
    using inner_type = Inner;
    using outer_type = Outer;
    Inner inner;
    Outer outer;
};
template <class Inner, class Outer> levels(Inner, Outer) -> levels<Inner, Outer>;

namespace problem {

/// A vector of a user's objective.
template <class Scalar> using column = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/// How a user's objective sees a row of the solver: as an Eigen vector that it reads.
template <class Scalar> Eigen::Map<const column<Scalar>> as_vector(const Scalar* data, integer size) { return {data, size}; }

/// The batches of problems over a user's own objectives.
template <class Levels> struct own_problem {
    using levels_type = Levels;
    template <class Scalar> using batch = std::span<const Levels>;
    struct extents {
        integer tasks = 0;
        friend bool operator==(const extents&, const extents&) = default;
    };
    integer statistics_size() const { return 0; }
    template <class Scalar> static integer tasks(std::span<const Levels> b) { return integer(b.size()); }
    template <class Scalar> extents extents_of(std::span<const Levels>, integer tasks) const { return {tasks}; }
    template <class Scalar> void check(std::span<const Levels> b, bool) const {
        if (b.empty()) throw argument_error("batch: it holds no task, expected at least 1");
    }
};

}  // namespace problem

}  // namespace bilevel
