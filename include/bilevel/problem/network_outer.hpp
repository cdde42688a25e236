// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/objective/gradient_program.hpp>
#include <bilevel/problem/report_query.hpp>

#include <span>

namespace bilevel::problem {

/// The outer objective of a network on the query set: value and first-order gradient, no second-order product.
template <class Kernels, class Network, class Loss> class network_outer {
public:
    using scalar = typename Kernels::scalar;
    using program = objective::gradient_program<Network, Loss, activity::adjoint, activity::adjoint>;
    using block = objective::examples_block<scalar, typename Loss::template target<scalar>>;

    network_outer() = default;
    network_outer(integer tasks, integer count, integer outputs, memory& arrays) {
        const auto bill = program::template cost<autodiff::reading::primal, scalar>(tasks, count, outputs);
        const std::size_t counts = std::size_t(padded(1) * tasks) * sizeof(scalar);
        values_ = workspace(bill.values + counts, arrays);
    }

    /// g ← ∇ℓ(y) on the block; the outcomes receive loss and accuracy. Batch norm's statistics go to `statistics`, if there is room for them.
    void evaluate(Kernels& kernels, const block& examples, rows<const scalar> y, rows<scalar> g, rows<scalar> statistics,
                  std::span<task_outcome> outcomes) {
        values_.rewind();
        const auto result =
            program::template read<autodiff::reading::primal>(kernels, examples, {readable(y), g, {}, {}, statistics}, values_, none_);
        report_query<Loss>(kernels, result, examples.targets, examples.count, values_, outcomes);
    }

private:
    workspace values_, none_;
};

}  // namespace bilevel::problem
