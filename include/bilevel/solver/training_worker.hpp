// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/outcome.hpp>

#include <optional>
#include <span>
#include <vector>

namespace bilevel::detail {

/// What one worker needs to compute the hypergradients of a block of tasks; sized once for each shape of batch.
template <class Kernels, class Problem, class Hypergradient, class Rule> class training_worker {
public:
    using scalar = typename Kernels::scalar;
    using binding = typename Problem::template binding<Kernels>;
    using scratch = typename Hypergradient::template scratch<binding>;

    training_worker(const Problem& p, const typename Problem::extents& extents, const Hypergradient& h, const Rule& rule)
        : binding_(p, extents, h.requirements_of(rule)), outcomes_(std::size_t(extents.tasks)) {
        const auto take = [&](workspace& from) {
            scratch_ = scratch(from, binding_, h, rule);
            dx_ = take_rows<scalar>(from, extents.tasks, p.outer_size());
            statistics_ = take_rows<scalar>(from, extents.tasks, p.statistics_size());
        };
        workspace counted;
        take(counted);
        memory_ = workspace(counted.used());
        take(memory_);
    }

    /// The hypergradients of the tasks first, first + 1, … of the batch.
    template <class Batch>
    void run(Kernels& kernels, const Batch& batch, integer first, rows<const scalar> x, const Hypergradient& h, const Rule& rule,
             bool record) {
        for (auto& outcome : outcomes_) outcome = task_outcome{};
        kernels.fill(dx_, scalar(0));
        binding_.bind(kernels, batch, first, x, record && statistics_.size > 0 ? statistics_ : rows<scalar>{});
        h(binding_, rule, scratch_, dx_, std::span<task_outcome>(outcomes_));
    }

    rows<const scalar> gradients() const { return dx_; }
    rows<const scalar> statistics() const { return statistics_; }
    std::span<const task_outcome> outcomes() const { return outcomes_; }

private:
    binding binding_;
    std::vector<task_outcome> outcomes_;
    workspace memory_;
    scratch scratch_;
    rows<scalar> dx_{}, statistics_{};
};

}  // namespace bilevel::detail
