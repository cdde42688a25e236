// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/episode.hpp>

namespace bilevel::objective {

/// The support or the query set of a block of tasks, as the gradient program sees it; a view.
template <class Scalar, class Target> struct examples_block {
    integer tasks = 0;
    integer count = 0;  // examples a task
    integer outputs = 0;
    const Scalar* inputs = nullptr;
    const Target* targets = nullptr;

    /// Tasks `first` … `first + tasks − 1` of a set; `input_size` elements an example, `target_size` a target.
    static examples_block of(const examples_view<Scalar, Target>& set, integer first, integer tasks, integer outputs, integer input_size,
                             integer target_size) {
        return {tasks, set.count, outputs, set.inputs + first * set.count * input_size,
                set.targets ? set.targets + first * set.count * target_size : nullptr};
    }
};

}  // namespace bilevel::objective
