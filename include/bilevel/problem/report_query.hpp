// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/workspace.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>

namespace bilevel::problem {

namespace detail {
template <class Scalar> struct query_of_task {
    view<Scalar> loss, correct;  // correct: none for a regression
    integer count;
    task_outcome* outcomes;
    BILEVEL_HOST_DEVICE void operator()(integer t) const {
        outcomes[t].loss = double(*loss.at(t));
        if (correct.size > 0) outcomes[t].accuracy = double(*correct.at(t)) / double(count);
    }
};
}  // namespace detail

/// Writes the loss of each task and, for a classification, the share of correct logits into the outcomes.
template <class Loss, class Kernels, class Result, class Target>
void report_query(Kernels& kernels, const Result& result, const Target* targets, integer count, workspace& values,
                  std::span<task_outcome> outcomes) {
    using scalar = typename Kernels::scalar;
    const integer tasks = result.logits.tasks;
    view<scalar> correct{};
    if constexpr (Loss::is_classification) {
        correct = {values.template take<scalar>(padded(1) * tasks), padded(1), tasks, 1, 1, {1}};
        const view<const int> labels{targets, count, tasks, count, 1, {1}};
        kernels.count_correct(correct, result.logits, labels);
    }
    kernels.for_each_index(tasks, detail::query_of_task<scalar>{result.loss, correct, count, outcomes.data()});
}

}  // namespace bilevel::problem
