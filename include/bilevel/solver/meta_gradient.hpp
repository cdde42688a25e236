// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/repeatable.hpp>
#include <bilevel/core/rows.hpp>
#include <bilevel/core/workspace.hpp>
#include <bilevel/problem/network_problem.hpp>
#include <bilevel/problem/outcome.hpp>
#include <bilevel/solver/moving_average.hpp>
#include <bilevel/solver/report.hpp>
#include <bilevel/solver/require_finite.hpp>
#include <bilevel/solver/settings.hpp>
#include <bilevel/solver/shared_arrays.hpp>
#include <bilevel/solver/state.hpp>
#include <bilevel/solver/training_worker.hpp>

#include <cmath>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel::detail {

/// In the place of a training step, where there is none.
struct no_step {};

/// A batch where kernels can read it, and where that is.
template <class Problem, class Kernels, class Batch>
Batch place(const Problem& problem, Kernels& kernels, const Batch& batch, repeatable& addresses) {
    return problem.template placed<typename Kernels::scalar>(batch, [&](integer slot, const auto* array, integer count) {
        const auto* const placed = kernels.upload(slot, array, count);
        addresses.add(placed);
        return placed;
    });
}

/// The mean hypergradient over a meta-batch, the running statistics after it, and the memory for both, which stays as long as the shape of batch does.
template <class Backend, class Problem, class Hypergradient, class Inner> class meta_gradient {
public:
    using scalar = typename Backend::scalar;
    using kernels = typename Backend::kernels;
    using batch_type = typename Problem::template batch<scalar>;

    /// Throws `argument_error` where the batch does not fit, `numeric_error` where a loss or the hypergradient is not finite.
    ///
    /// A training step follows in the same sequence of kernels: step(condition) calls those that change the state, as far as *condition holds, which is
    /// false where this throws afterwards; `these` tells what it calls them with.
    template <class Settings, class Step = no_step>
    report compute(Backend& backend, const Problem& problem, const Settings& settings, const state<scalar>& s, const batch_type& batch,
                   repeatable these = {}, [[maybe_unused]] Step step = {}) {
        constexpr bool record = !std::is_same_v<Step, no_step>;
        problem.template check<scalar>(batch, true);
        if constexpr (problem::over_a_network<Problem>) {
            if constexpr (Hypergradient::needs_inner_level) Problem::require_statistics("batch: its support set", batch.support.count);
            Problem::require_statistics("batch: its query set", batch.query.count);
        }
        kernels& k = backend.worker(0);
        const shared_arrays<kernels> shared(k);
        const integer tasks = Problem::template tasks<scalar>(batch), block = backend.tasks_per_block(tasks);
        const auto extents = problem.template extents_of<scalar>(batch, block);
        if (workers_.empty() || !(extents == extents_)) take_memory(backend, problem, settings, extents);
        if (integer(outcomes_.size()) != tasks) take_outcomes(k, tasks);

        const batch_type placed = place(problem, k, batch, these);
        const rows<const scalar> x{shared.readable(s.parameters, upload_slot::parameters), 0, block, problem.outer_size()},
            before{shared.readable(s.statistics, upload_slot::statistics), 0, 1, problem.statistics_size()};
        these.add(memory_);
        these.add(tasks);
        these.add(integer{record});
        these.add(x.data);
        these.add(before.data);
        these.add(outcomes_.data());
        these.add(numbers_.finite);
        k.repeat(these, [&] {
            launch(backend, settings, x, before, placed, record);
            const rows<const scalar> g{vector_.data(), 0, 1, integer(vector_.size())};
            k.inner_products(squares_.data(), g, g);
            if constexpr (record) {
                k.for_each_index(tasks, task_is_finite{outcomes_.data(), numbers_.finite_tasks});
                k.for_each_index(1, all_is_finite<scalar>{numbers_.finite_tasks, tasks, squares_.data(), numbers_.finite});
                step(static_cast<const bool*>(numbers_.finite));
            }
        });
        k.wait();
        auto r = report::of(outcomes_);
        r.kept_steps = workers_.front()->kept();
        r.gradient_norm = std::sqrt(double(squares_.front()));
        require_finite(outcomes_, r.gradient_norm);
        return r;
    }

    aligned_vector<scalar>& vector() { return vector_; }
    const aligned_vector<scalar>& statistics() const { return statistics_; }
    /// Memory of the kernels for a number of the step.
    scalar* number() const { return numbers_.of_choice; }

private:
    using worker = training_worker<kernels, Problem, Hypergradient, Inner>;

    // What fails halfway is taken once more by the next call: memory is in use only when all of it is there.
    template <class Settings>
    void take_memory(Backend& backend, const Problem& problem, const Settings& settings, const typename Problem::extents& extents) {
        const shared_arrays<kernels> shared(backend.worker(0));
        workers_.clear();
        memory_ = repeatable::unused_number();
        std::vector<std::unique_ptr<worker>> workers;
        for (integer w = 0; w < backend.workers(); ++w)
            workers.push_back(
                std::make_unique<worker>(problem, extents, settings.hypergradient, settings.inner, backend.worker(0).array_memory()));
        vector_ = shared.template zeros<scalar>(problem.outer_size());
        statistics_ = shared.template zeros<scalar>(problem.statistics_size());
        squares_ = shared.template zeros<scalar>(1);
        extents_ = extents;
        workers_ = std::move(workers);
    }
    void take_outcomes(kernels& k, integer tasks) {
        auto outcomes = shared_arrays<kernels>(k).template zeros<task_outcome>(tasks);
        workspace counted;
        (void)numbers(counted, tasks);
        of_step_ = workspace(counted.used(), k.array_memory());
        numbers_ = numbers(of_step_, tasks);
        outcomes_ = std::move(outcomes);
    }

    template <class Settings>
    void launch(Backend& backend, const Settings& settings, rows<const scalar> x, rows<const scalar> before, const batch_type& batch,
                bool record) {
        kernels& k = backend.worker(0);
        const integer tasks = integer(outcomes_.size()), block = extents_.tasks;
        const rows<scalar> total{vector_.data(), 0, 1, integer(vector_.size())}, running{statistics_.data(), 0, 1, before.size};
        k.fill(total, scalar(0));
        k.copy(running, before);
        backend.for_each_block(
            tasks / block,
            [&](integer b, integer w) {
                workers_[std::size_t(w)]->run(backend.worker(w), batch, b * block, x, settings.hypergradient, settings.inner, record,
                                              std::span(outcomes_).subspan(std::size_t(b * block), std::size_t(block)));
            },
            [&](integer, integer w) {  // in the order of the tasks, whatever thread computed them
                const rows<const scalar> g = workers_[std::size_t(w)]->gradients(), statistics = workers_[std::size_t(w)]->statistics();
                // Each by the same kernel as a task alone: in another loop the compiler may round otherwise.
                for (integer t = 0; t < block; ++t)
                    backend.worker(w).add_scaled(total, scalar(1) / scalar(tasks), rows<const scalar>{g.row(t), 0, 1, g.size});
                if (record && running.size > 0)
                    backend.worker(w).for_each_index(
                        running.size, moving_average<scalar>{running.data, scalar(settings.statistics_momentum), statistics});
            });
    }

    typename Problem::extents extents_{};
    std::vector<std::unique_ptr<worker>> workers_;
    aligned_vector<scalar> vector_, statistics_, squares_;
    aligned_vector<task_outcome> outcomes_;
    workspace of_step_;
    struct numbers {
        bool *finite_tasks = nullptr, *finite = nullptr;
        scalar* of_choice = nullptr;

        numbers() = default;
        numbers(workspace& from, integer tasks)
            : finite_tasks(from.take<bool>(tasks)), finite(from.take<bool>(1)), of_choice(from.take<scalar>(1)) {}
    } numbers_;
    integer memory_ = 0;  // a number that no other memory of workers has, of no solver, not even one at the same address
};

}  // namespace bilevel::detail
