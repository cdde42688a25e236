// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "../benchmarks/watched.hpp"

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/solver/report.hpp>

namespace exchange {

using bilevel::integer;

/// The CPU, able to bill what it is asked to do.
template <class Scalar> using backend = benchmarks::watched_cpu<Scalar>;

/// A solver without its type: the hypergradient of one algorithm on one network.
template <class Scalar> class evaluator {
public:
    evaluator() = default;
    evaluator(const evaluator&) = delete;
    evaluator& operator=(const evaluator&) = delete;
    virtual ~evaluator() = default;

    /// Where hypergradients are taken from now on.    // (P)
    virtual void move_to(const bilevel::aligned_vector<Scalar>& parameters) = 0;
    /// The same episodes with their images where the kernels find them, until the next call.    // images (h,w,c) of so many elements
    virtual bilevel::episodes_view<Scalar, int> placed(const bilevel::episodes_view<Scalar, int>& batch, integer /*elements*/) {
        return batch;
    }
    /// The hypergradient there, until the next call.    // (P)
    virtual bilevel::hypergradient_view<Scalar> operator()(const bilevel::episodes_view<Scalar, int>& batch) = 0;
};

}  // namespace exchange
