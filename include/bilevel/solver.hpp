// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/hypergradient/explain.hpp>
#include <bilevel/problem/network_problem.hpp>
#include <bilevel/solver/adaptation.hpp>
#include <bilevel/solver/adapted.hpp>
#include <bilevel/solver/moving_average.hpp>
#include <bilevel/solver/report.hpp>
#include <bilevel/solver/settings.hpp>
#include <bilevel/solver/state.hpp>
#include <bilevel/solver/training_worker.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel {

/// The one solver:  minimise over x  F(x) = mean_i f_i(x, y_i(x)),  where y_i(x) is what the inner rule makes of g_i(x, ·).
///
/// Problem says what g, f, x and y are, Hypergradient how dF/dx is taken through the inner rule, Inner how y is found, Outer how x moves, Backend where
/// arrays live and who computes. Results do not depend on the number of the backend's threads: the gradients of the tasks are added in task order.
/// Keeps a reference to the backend. Not for several threads at once.
template <class Backend, class Problem, class Hypergradient, class Inner, class Outer> class solver {
    static_assert(explain::combination<Problem, Hypergradient, Inner>::value);

public:
    using scalar = typename Backend::scalar;
    using kernels = typename Backend::kernels;
    using problem_type = Problem;
    using batch_type = typename Problem::template batch<scalar>;
    using state_type = bilevel::state<scalar>;
    using settings_type = solver_settings<Hypergradient, Inner, Outer>;

    /// Throws `argument_error` for settings that nothing can be computed with.
    solver(Backend& backend, Problem problem, settings_type settings = {})
        : backend_(&backend), problem_(std::move(problem)), settings_(settings) {
        settings_.check();
    }

    const Problem& problem() const { return problem_; }
    const settings_type& settings() const { return settings_; }
    Backend& backend() const { return *backend_; }

    /// The state before the first step.
    state_type initialise(const initialisation& how) const {
        state_type s;
        s.parameters.resize(std::size_t(problem_.outer_size()));
        s.statistics.resize(std::size_t(problem_.statistics_size()));
        problem_.initialise(s.parameters.data(), s.statistics.data(), how.seed);
        s.moments.assign(std::size_t(Outer::memory(problem_.outer_size())), scalar(0));
        return s;
    }

    /// One step of the outer optimiser on a meta-batch. Throws `argument_error` where the batch does not fit, `numeric_error` where a loss or a gradient is
    /// not finite, and then leaves the state as it was. After the first call for a shape of batch nothing is allocated.
    bilevel::report step(state_type& s, const batch_type& batch) {
        auto r = compute(s, batch, true);
        kernels& k = backend_->worker(0);
        scalar* g = total_.data();
        settings_.clipping.apply(k, g, problem_.outer_size(), [&] { return norm(); });
        settings_.outer.update(k, s.parameters.data(), static_cast<const scalar*>(g), s.moments.data(), problem_.outer_size(), s.iteration);
        std::copy(statistics_.begin(), statistics_.end(), s.statistics.begin());
        ++s.iteration;
        return r;
    }
    // A batch of another kind is refused in words, not by a failed conversion.
    template <class Other>
        requires(!std::is_convertible_v<const Other&, batch_type>)
    bilevel::report step(state_type&, const Other&) {
        static_assert(
            std::is_convertible_v<const Other&, batch_type>,
            "bilevel: this batch is not for this solver: its scalar is not the backend's (float data on a double backend, say), or its targets are "
            "not the loss's (labels for cross_entropy, numbers for mean_squared_error), or it is not a batch of the problem's objectives");
        return {};
    }

    /// dF/dx on a meta-batch, unclipped, without moving anything.
    hypergradient_result<scalar> hypergradient(const state_type& s, const batch_type& batch) {
        hypergradient_result<scalar> result;
        result.report = compute(s, batch, false);
        result.vector = total_;
        return result;
    }

    /// Adapts to the support sets of a batch (the query sets may be empty), each task by itself.
    adapted<scalar> adapt(const state_type& s, const batch_type& batch, const evaluation_settings& how = {}) {
        problem_.template check<scalar>(batch, false);
        const integer tasks = Problem::template tasks<scalar>(batch);
        adapted<scalar> result;
        result.tasks = tasks;
        result.size = problem_.adapted_size();
        result.stride = padded(result.size);
        result.parameters.assign(std::size_t(tasks * result.stride), scalar(0));
        result.statistics = s.statistics;
        result.normalisation = how.normalisation;
        result.outcomes.resize(std::size_t(tasks));
        auto rule = settings_.inner;
        if constexpr (Inner::moves) {
            if (how.inner_steps >= 0) rule.steps = how.inner_steps;
        }
        const integer block = backend_->tasks_per_block(tasks);
        const auto extents = problem_.template extents_of<scalar>(batch, block);
        adaptations_.resize(std::size_t(backend_->workers()));
        for (auto& a : adaptations_) {
            if (!a || !a->fits(extents)) a = std::make_unique<detail::adaptation<kernels, Problem>>(problem_, extents);
        }
        const rows<const scalar> x{s.parameters.data(), 0, block, problem_.outer_size()},
            statistics{s.statistics.data(), 0, block, problem_.statistics_size()};
        backend_->for_each_block(
            tasks / block,
            [&](integer b, integer worker) {
                const rows<scalar> to{result.parameters.data() + b * block * result.stride, result.stride, block, result.size};
                adaptations_[std::size_t(worker)]->run(backend_->worker(worker), problem_, batch, b * block, x, statistics,
                                                       how.normalisation, rule, to,
                                                       std::span(result.outcomes).subspan(std::size_t(b * block), std::size_t(block)));
            },
            [](integer, integer) {});
        return result;
    }

    /// The logits of adapted networks on `count` inputs a task.    // inputs (tasks, count, input …) -> (tasks, count, outputs)
    std::vector<scalar> logits(const adapted<scalar>& a, const scalar* inputs, integer count) {
        using network = typename Problem::network;
        if (count < 1 || inputs == nullptr) throw argument_error("predict: there are no inputs (" + std::to_string(count) + " a task)");
        const integer outputs = problem_.task.outputs, block = backend_->tasks_per_block(a.tasks);
        std::vector<scalar> all(std::size_t(a.tasks * count * outputs));
        predictions_.resize(std::size_t(backend_->workers()));
        for (auto& p : predictions_) {
            if (!p || !p->fits(block, count, outputs)) p = std::make_unique<prediction<Problem>>(block, count, outputs);
        }
        const rows<const scalar> statistics{a.statistics.data(), 0, block, problem_.statistics_size()};
        backend_->for_each_block(
            a.tasks / block,
            [&](integer b, integer worker) {
                const rows<const scalar> parameters{a.parameters.data() + b * block * a.stride, a.stride, block, a.size};
                const auto result =
                    (*predictions_[std::size_t(worker)])(backend_->worker(worker), inputs + b * block * count * network::input::count(),
                                                         parameters, statistics, a.normalisation, !Problem::has_inner_level);
                for (integer t = 0; t < block; ++t) {
                    std::copy(result.logits.at(t), result.logits.at(t) + count * outputs,
                              all.begin() + std::ptrdiff_t((b * block + t) * count * outputs));
                }
            },
            [](integer, integer) {});
        return all;
    }

    /// The label of each input: its first largest logit.    // (tasks, count)
    std::vector<int> predict(const adapted<scalar>& a, const scalar* inputs, integer count) {
        const auto z = logits(a, inputs, count);
        const integer outputs = problem_.task.outputs;
        std::vector<int> labels(std::size_t(a.tasks * count));
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const auto* row = z.data() + integer(i) * outputs;
            labels[i] = int(std::max_element(row, row + outputs) - row);
        }
        return labels;
    }

    /// Adapts to each task of a batch and measures it on its query set: the share of correct labels of each task, or its loss for a regression.
    std::vector<double> evaluate(const state_type& s, const batch_type& batch, const evaluation_settings& how = {}) {
        const problem::network_problem<typename Problem::task_type>& sets = problem_;
        sets.template check<scalar>(batch, true);
        const auto networks = adapt(s, batch, how);
        const integer count = batch.query.count, outputs = problem_.task.outputs;
        const auto z = logits(networks, batch.query.inputs, count);
        std::vector<double> result(std::size_t(batch.tasks), 0.0);
        for (integer t = 0; t < batch.tasks; ++t) {
            for (integer i = 0; i < count; ++i) {
                const auto* row = z.data() + (t * count + i) * outputs;
                if constexpr (Problem::loss::is_classification) {
                    result[std::size_t(t)] +=
                        (std::max_element(row, row + outputs) - row == batch.query.targets[t * count + i]) ? 1.0 / double(count) : 0.0;
                } else {
                    for (integer j = 0; j < outputs; ++j) {
                        const double residual = double(row[j]) - double(batch.query.targets[(t * count + i) * outputs + j]);
                        result[std::size_t(t)] += residual * residual / double(count * outputs);
                    }
                }
            }
        }
        return result;
    }

private:
    using training_worker = detail::training_worker<kernels, Problem, Hypergradient, Inner>;
    template <class P> using prediction = nn::prediction<kernels, typename P::network>;
    template <class P> static auto prediction_type() {
        if constexpr (requires { typename P::network; }) {
            return std::type_identity<prediction<P>>{};
        } else {
            return std::type_identity<int>{};
        }
    }

    double norm() {
        scalar squares(0);
        const rows<const scalar> g{total_.data(), padded(integer(total_.size())), 1, integer(total_.size())};
        backend_->worker(0).inner_products(&squares, g, g);
        return std::sqrt(double(squares));
    }

    // The mean hypergradient into total_, the running statistics after this batch into statistics_.
    bilevel::report compute(const state_type& s, const batch_type& batch, bool record) {
        problem_.template check<scalar>(batch, true);
        if (integer(s.parameters.size()) != problem_.outer_size())
            throw argument_error("state: it holds " + std::to_string(s.parameters.size()) + " parameters, the problem has " +
                                 std::to_string(problem_.outer_size()));
        const integer tasks = Problem::template tasks<scalar>(batch), block = backend_->tasks_per_block(tasks);
        const auto extents = problem_.template extents_of<scalar>(batch, block);
        if (workers_.empty() || !(extents == extents_)) {
            workers_.clear();
            for (integer w = 0; w < backend_->workers(); ++w)
                workers_.push_back(std::make_unique<training_worker>(problem_, extents, settings_.hypergradient, settings_.inner));
            extents_ = extents;
        }
        total_.assign(s.parameters.size(), scalar(0));
        statistics_.assign(s.statistics.begin(), s.statistics.end());
        outcomes_.resize(std::size_t(tasks));

        const rows<const scalar> x{s.parameters.data(), 0, block, problem_.outer_size()};
        const rows<scalar> total{total_.data(), 0, 1, problem_.outer_size()}, running{statistics_.data(), 0, 1, problem_.statistics_size()};
        backend_->for_each_block(
            tasks / block,
            [&](integer b, integer w) {
                workers_[std::size_t(w)]->run(backend_->worker(w), batch, b * block, x, settings_.hypergradient, settings_.inner, record);
            },
            [&](integer b, integer w) {
                merge(*workers_[std::size_t(w)], backend_->worker(w), b * block, block, scalar(1) / scalar(tasks), total, running, record);
            });

        auto r = bilevel::report::of(outcomes_);
        r.gradient_norm = norm();
        refuse_what_is_not_finite(r);
        return r;
    }

    // In the order of the tasks, whatever thread computed them.
    void merge(const training_worker& from, kernels& k, integer first, integer block, scalar share, rows<scalar> total,
               rows<scalar> running, bool record) {
        for (integer t = 0; t < block; ++t) {
            outcomes_[std::size_t(first + t)] = from.outcomes()[std::size_t(t)];
            const auto g = from.gradients();
            k.add_scaled(total, share, rows<const scalar>{g.row(t), 0, 1, g.size});
            if (!record || running.size == 0) continue;
            const auto momentum = scalar(settings_.statistics_momentum);
            k.for_each_index(running.size, detail::moving_average<scalar>{momentum, running.data, from.statistics().row(t)});
        }
    }

    void refuse_what_is_not_finite(const bilevel::report& r) const {
        for (std::size_t t = 0; t < outcomes_.size(); ++t) {
            const auto& o = outcomes_[t];
            if (o.failed_step >= 0)
                throw numeric_error("task " + std::to_string(t) + " of the batch: its inner loss is not finite at inner step " +
                                    std::to_string(o.failed_step) + " (it began at " + std::to_string(o.first_inner_loss) +
                                    "); a smaller inner step_size may help; the state is as it was");
            if (!std::isfinite(o.loss))
                throw numeric_error("task " + std::to_string(t) + " of the batch: its outer loss is " + std::to_string(o.loss) +
                                    ", expected a finite number; the state is as it was");
        }
        if (!std::isfinite(r.gradient_norm))
            throw numeric_error("the hypergradient is not finite, though every loss is; the state is as it was");
    }

    Backend* backend_;
    Problem problem_;
    settings_type settings_;
    typename Problem::extents extents_{};
    std::vector<std::unique_ptr<training_worker>> workers_;
    std::vector<std::unique_ptr<detail::adaptation<kernels, Problem>>> adaptations_;
    std::vector<std::unique_ptr<typename decltype(prediction_type<Problem>())::type>> predictions_;
    aligned_vector<scalar> total_, statistics_;
    std::vector<task_outcome> outcomes_;
};

/// A solver from its policies: `make_solver<hypergradient::implicit_cg, inner::gradient_descent, outer::adam>(backend, problem, {…})`.
template <class Hypergradient, class Inner, class Outer, class Backend, class Problem>
auto make_solver(Backend& backend, Problem problem, std::type_identity_t<solver_settings<Hypergradient, Inner, Outer>> settings = {}) {
    return solver<Backend, Problem, Hypergradient, Inner, Outer>(backend, std::move(problem), settings);
}

}  // namespace bilevel
