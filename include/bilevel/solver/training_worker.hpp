// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/outcome.hpp>

#include <optional>
#include <span>

namespace bilevel::detail {

struct no_outcome {
    task_outcome* outcomes;
    BILEVEL_HOST_DEVICE void operator()(integer t) const { outcomes[t] = task_outcome{}; }
};

/// What one worker needs to compute the hypergradients of a block of tasks; sized once for each shape of batch.
template <class Kernels, class Problem, class Hypergradient, class Rule> class training_worker {
public:
    using scalar = typename Kernels::scalar;
    using binding = typename Problem::template binding<Kernels>;
    using scratch = typename Hypergradient::template scratch<binding>;

    training_worker(const Problem& p, const typename Problem::extents& extents, const Hypergradient& h, const Rule& rule, memory& arrays)
        : needs_(requirements_of(p, extents, h, rule, arrays)), binding_(p, extents, needs_) {
        const auto take = [&](workspace& from) {
            scratch_ = scratch(from, binding_, h, rule);
            dx_ = take_rows<scalar>(from, extents.tasks, p.outer_size());
            statistics_ = take_rows<scalar>(from, extents.tasks, p.statistics_size());
        };
        workspace counted;
        take(counted);
        memory_ = workspace(counted.used(), arrays);
        take(memory_);
    }

    /// The hypergradients of the tasks first, first + 1, … of the batch, and what there is to say of each.
    template <class Batch>
    void run(Kernels& kernels, const Batch& batch, integer first, rows<const scalar> x, const Hypergradient& h, const Rule& rule,
             bool record, std::span<task_outcome> outcomes) {
        kernels.for_each_index(integer(outcomes.size()), no_outcome{outcomes.data()});
        kernels.fill(dx_, scalar(0));
        binding_.bind(kernels, batch, first, x, record && statistics_.size > 0 ? statistics_ : rows<scalar>{});
        h(binding_, rule, scratch_, dx_, outcomes);
    }

    rows<const scalar> gradients() const { return dx_; }
    rows<const scalar> statistics() const { return statistics_; }
    /// Linearizations that are kept at once.
    integer kept() const { return needs_.second_order ? needs_.slots : 0; }

private:
    static problem::requirements requirements_of(const Problem& p, const typename Problem::extents& extents, const Hypergradient& h,
                                                 const Rule& rule, memory& arrays) {
        auto needs = h.requirements_of(rule, binding::bytes_of_slot(p, extents));
        needs.arrays = &arrays;
        return needs;
    }

    problem::requirements needs_;
    binding binding_;
    workspace memory_;
    scratch scratch_;
    rows<scalar> dx_{}, statistics_{};
};

}  // namespace bilevel::detail
