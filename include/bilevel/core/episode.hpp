// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <array>

namespace bilevel {

/// The examples of one set (support or query) of every task of a meta-batch; a view, which owns nothing.
/// Target is `int` for labels 0 … ways−1 and the scalar for regression targets.
template <class Scalar, class Target> struct examples_view {
    integer count = 0;                // examples a task
    const Scalar* inputs = nullptr;   // (tasks, count, input …), contiguous; images are (height, width, channels)
    const Target* targets = nullptr;  // (tasks, count) labels, or (tasks, count, outputs) regression targets
    integer input_size = 0;  // numbers of one input (height · width · channels of an image), which a solver checks; 0: not said
    std::array<integer, 3> image{};  // height, width and channels, which a solver of a network over images checks; zeros: not said

    friend bool operator==(const examples_view&, const examples_view&) = default;
};

/// A meta-batch: `tasks` episodes of the same shape, each with its support and its query set; a view, which owns nothing.
template <class Scalar, class Target> struct episodes_view {
    using scalar = Scalar;
    using target = Target;
    integer tasks = 0;
    integer outputs = 0;  // the ways of a classification, the width of the target of a regression
    examples_view<Scalar, Target> support{};  // what the inner level sees
    examples_view<Scalar, Target> query{};  // what the outer level sees
    const int* classes = nullptr;  // (tasks, outputs) global class ids of the local labels, or none

    friend bool operator==(const episodes_view&, const episodes_view&) = default;
};

}  // namespace bilevel
