// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/rows.hpp>
#include <bilevel/problem/outcome.hpp>

#include <optional>

namespace bilevel {

/// How an adapted task is evaluated; every accuracy is printed with it.
struct evaluation_settings {
    integer inner_steps = -1;  // from 0, or −1: as many as in training
    /// What batch norm normalises queries with; batch: transductive, over the query set. None: batch, or running where nothing adapts but a head on a frozen
    /// body (multi-task learning, as [Wang21]).
    std::optional<autodiff::normalisation> normalisation{};
};

/// Networks adapted to tasks: whole parameter vectors, one row a task, and how batch norm shall normalise when they predict.
template <class Scalar> struct adapted {
    aligned_vector<Scalar> parameters;  // (tasks, stride)
    integer tasks = 0, size = 0, stride = 0;
    aligned_vector<Scalar> statistics;
    autodiff::normalisation normalisation = autodiff::normalisation::batch;
    aligned_vector<task_outcome> outcomes;  // what the inner loops met

    rows<const Scalar> rows_of_tasks() const { return {parameters.data(), stride, tasks, size}; }
};

}  // namespace bilevel
