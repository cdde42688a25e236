// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>
#include <bilevel/core/workspace.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>

namespace bilevel::problem {

/// Writes the loss of each task and, for a classification, the share of correct logits into the outcomes.
template <class Loss, class Kernels, class Result, class Target>
void report_query(Kernels& kernels, const Result& result, const Target* targets, integer count, workspace& values,
                  std::span<task_outcome> outcomes) {
    using scalar = typename Kernels::scalar;
    const integer tasks = result.logits.tasks;
    for (integer t = 0; t < tasks; ++t) outcomes[std::size_t(t)].loss = double(*result.loss.at(t));
    if constexpr (Loss::is_classification) {
        const view<scalar> correct{values.template take<scalar>(padded(1) * tasks), padded(1), tasks, 1, 1, {1}};
        const view<const int> labels{targets, count, tasks, count, 1, {1}};
        kernels.count_correct(correct, result.logits, labels);
        for (integer t = 0; t < tasks; ++t) outcomes[std::size_t(t)].accuracy = double(*correct.at(t)) / double(count);
    }
}

}  // namespace bilevel::problem
