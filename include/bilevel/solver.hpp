// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/copied_values.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/repeatable.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/hypergradient/explain.hpp>
#include <bilevel/problem/network_problem.hpp>
#include <bilevel/solver/adaptation.hpp>
#include <bilevel/solver/adapted.hpp>
#include <bilevel/solver/conditional_kernels.hpp>
#include <bilevel/solver/meta_gradient.hpp>
#include <bilevel/solver/quality.hpp>
#include <bilevel/solver/report.hpp>
#include <bilevel/solver/settings.hpp>
#include <bilevel/solver/shared_arrays.hpp>
#include <bilevel/solver/state.hpp>

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
    static_assert(explain::combination<Problem, Hypergradient, Inner, typename Backend::scalar>::value);

public:
    using scalar = typename Backend::scalar;
    using kernels = typename Backend::kernels;
    using problem_type = Problem;
    using batch_type = typename Problem::template batch<scalar>;
    using state_type = bilevel::state<scalar>;
    using settings_type = solver_settings<Hypergradient, Inner, Outer>;
    /// What batch norm normalises queries with where nobody says otherwise.
    static constexpr auto usual_normalisation =
        Problem::has_inner_level ? autodiff::normalisation::batch : autodiff::normalisation::running;

    /// Throws `argument_error` for settings that nothing can be computed with.
    solver(Backend& backend, Problem problem, settings_type settings = {})
        : backend_(&backend), problem_(std::move(problem)), settings_(settings) {
        settings_.template check<scalar>();
        if constexpr (requires { problem_.template check_settings<scalar>(); }) problem_.template check_settings<scalar>();
    }

    const Problem& problem() const { return problem_; }
    const settings_type& settings() const { return settings_; }
    Backend& backend() const { return *backend_; }

    /// The state before the first step, in memory that the backend shares with the host.
    state_type initialise(const initialisation& how) const {
        state_type s;
        for (auto* array : {&s.parameters, &s.statistics, &s.moments}) shared().share(*array);
        s.parameters.resize(std::size_t(problem_.outer_size()));
        s.statistics.resize(std::size_t(problem_.statistics_size()));
        problem_.initialise(s.parameters.data(), s.statistics.data(), how.seed);
        s.moments.assign(std::size_t(Outer::memory(problem_.outer_size())), scalar(0));
        return s;
    }

    /// One step of the outer optimiser on a meta-batch. Throws `argument_error` where batch or state do not fit, `numeric_error` where a loss or a gradient is
    /// not finite, and then leaves the state as it was. As long as the shape of batch stays, nothing is allocated after the first call. A state that lies elsewhere moves to
    /// where the backend shares memory with the host.
    bilevel::report step(state_type& s, const batch_type& batch) {
        require_fit(s);
        require_size("state", s.moments.size(), "numbers of the outer optimiser", Outer::memory(problem_.outer_size()));
        for (auto* array : {&s.parameters, &s.statistics, &s.moments}) shared().share(*array);
        outer_step_ = settings_.outer.template at<scalar>(s.iteration);
        const auto* const now = backend_->worker(0).upload(slots::outer_step, &outer_step_, 1);
        repeatable these;
        these.add(now);
        these.add(s.moments.data());
        const auto r =
            gradient_.compute(*backend_, problem_, settings_, s, batch, these, [&](const bool* is_finite) { move(s, now, is_finite); });
        ++s.iteration;
        return r;
    }
    /// dF/dx on a meta-batch, unclipped, without moving anything; `report.loss` is F(x). Throws as `step` does.
    hypergradient_result<scalar> hypergradient(const state_type& s, const batch_type& batch) {
        const auto report = view_hypergradient(s, batch).report;
        return {.vector = gradient_.vector(), .report = report};
    }
    /// The same without a copy: valid until the next call.
    hypergradient_view<scalar> view_hypergradient(const state_type& s, const batch_type& batch) {
        require_fit(s);
        const auto report = gradient_.compute(*backend_, problem_, settings_, s, batch);
        return {.vector = gradient_.vector(), .report = report};
    }

    /// Adapts to the support sets of a batch (the query sets may be empty), each task by itself. Throws `argument_error` where batch, state or steps do not fit; a
    /// task whose inner loss is not finite is none: its outcome has the step.
    adapted<scalar> adapt(const state_type& s, const batch_type& batch, const evaluation_settings& how = {}) {
        require_fit(s);
        problem_.template check<scalar>(batch, false);
        if (how.inner_steps < -1)
            throw argument_error("adapt: inner_steps is " + std::to_string(how.inner_steps) +
                                 ", expected a number from 0, or -1 for as many as in training");
        const auto normalisation = how.normalisation.value_or(usual_normalisation);
        auto rule = settings_.inner;
        if constexpr (Inner::moves) {
            if (how.inner_steps >= 0) rule.steps = how.inner_steps;
            if constexpr (problem::over_a_network<Problem>) {  // it adapts by the statistics of its support set, whatever it predicts with
                if (rule.steps > 0) Problem::require_statistics("batch: its support set", batch.support.count);
            }
        } else if (normalisation == autodiff::normalisation::batch) {
            Problem::require_statistics("batch: its support set", batch.support.count, ", or the running statistics");
        }
        const integer tasks = Problem::template tasks<scalar>(batch);
        repeatable unused;
        const batch_type placed = detail::place(problem_, backend_->worker(0), batch, unused);
        adapted<scalar> result;
        result.tasks = tasks;
        result.size = problem_.adapted_size();
        result.stride = padded(result.size);
        result.parameters = shared().template zeros<scalar>(tasks * result.stride);
        result.statistics = s.statistics;
        result.normalisation = normalisation;
        result.outcomes = shared().template zeros<task_outcome>(tasks);
        const integer block = backend_->tasks_per_block(tasks);
        const auto extents = problem_.template extents_of<scalar>(batch, block);
        adaptations_.resize(std::size_t(backend_->workers()));
        for (auto& a : adaptations_) {
            if (!a || !a->fits(extents)) a = std::make_unique<detail::adaptation<kernels, Problem>>(problem_, extents, array_memory());
        }
        const rows<const scalar> x{shared().readable(s.parameters, slots::parameters), 0, block, problem_.outer_size()},
            statistics{shared().readable(s.statistics, slots::statistics), 0, block, problem_.statistics_size()};
        backend_->for_each_block(
            tasks / block,
            [&](integer b, integer worker) {
                const rows<scalar> to{result.parameters.data() + b * block * result.stride, result.stride, block, result.size};
                adaptations_[std::size_t(worker)]->run(backend_->worker(worker), problem_, placed, b * block, x, statistics,
                                                       result.normalisation, rule, to,
                                                       std::span(result.outcomes).subspan(std::size_t(b * block), std::size_t(block)));
            },
            [](integer, integer) {});
        backend_->worker(0).wait();
        return result;
    }

    /// The logits of adapted networks, or what a regression predicts, on `count` inputs a task. Batch norm normalises as the networks say (`adapted::normalisation`): by the inputs of the call,
    /// so that the answer to one depends on the others, or by the running statistics. Throws `argument_error` where there are none, where batch norm
    /// would take the only one for the mean, or where the networks are not of this problem.
    // inputs (tasks, count, input …) -> (tasks, count, outputs)
    std::vector<scalar> logits(const adapted<scalar>& a, const scalar* inputs, integer count) {
        static_assert(explain::networks<Problem>::value);
        using network = typename Problem::network;
        if (count < 1 || inputs == nullptr) throw argument_error("predict: there are no inputs (" + std::to_string(count) + " a task)");
        if (a.tasks < 1) throw argument_error("predict: there are no adapted networks");
        if (a.normalisation == autodiff::normalisation::batch)
            Problem::require_statistics("predict: what is given", count, ", or networks that were adapted for the running statistics");
        require_size("adapted", std::size_t(a.size), "parameters a task", problem_.adapted_size());
        require_size("adapted", a.parameters.size(), "parameters with their padding", a.tasks * padded(a.size));
        require_size("adapted", a.statistics.size(), "statistics of batch norm", problem_.statistics_size());
        const integer outputs = problem_.task.outputs, block = backend_->tasks_per_block(a.tasks);
        std::vector<scalar> all(std::size_t(a.tasks * count * outputs));
        predictions_.resize(std::size_t(backend_->workers()));
        for (auto& p : predictions_) {
            if (!p || !p->fits(block, count, outputs)) p = std::make_unique<prediction<Problem>>(block, count, outputs, array_memory());
        }
        const scalar *const placed = backend_->worker(0).upload(slots::query_inputs, inputs, a.tasks * count * network::input::count()),
                            *const networks = shared().readable(a.parameters, slots::parameters);
        const rows<const scalar> statistics{shared().readable(a.statistics, slots::statistics), 0, block, problem_.statistics_size()};
        backend_->for_each_block(
            a.tasks / block,
            [&](integer b, integer worker) {
                const rows<const scalar> parameters{networks + b * block * a.stride, a.stride, block, a.size};
                const auto result =
                    (*predictions_[std::size_t(worker)])(backend_->worker(worker), placed + b * block * count * network::input::count(),
                                                         parameters, statistics, a.normalisation, !Problem::has_inner_level);
                for (integer t = 0; t < block; ++t) {
                    backend_->worker(worker).download(all.data() + (b * block + t) * count * outputs,
                                                      static_cast<const scalar*>(result.logits.at(t)), count * outputs);
                }
            },
            [](integer, integer) {});
        return all;
    }

    /// The label of each input: its first largest logit. Throws as `logits` does, and `numeric_error` where a logit is not finite.    // (tasks, count)
    std::vector<int> predict(const adapted<scalar>& a, const scalar* inputs, integer count) {
        static_assert(explain::networks<Problem>::value);
        static_assert(Problem::loss::is_classification,
                      "bilevel: solver.predict names classes: what a regression predicts, solver.logits gives");
        const auto z = logits(a, inputs, count);
        const integer outputs = problem_.task.outputs;
        detail::require_finite_outputs(z, count, outputs);
        std::vector<int> labels(std::size_t(a.tasks * count));
        for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = detail::label_of(z.data() + integer(i) * outputs, outputs);
        return labels;
    }

    /// Adapts to each task of a batch and measures it on its query set: the share of correct labels of each task, or its loss for a regression.
    /// Throws `argument_error` where batch or state do not fit, and `numeric_error` where a task's inner loss is not finite, or one of its logits.
    std::vector<double> evaluate(const state_type& s, const batch_type& batch, const evaluation_settings& how = {}) {
        static_assert(explain::networks<Problem>::value);
        const problem::network_problem<typename Problem::task_type>& sets = problem_;
        sets.template check<scalar>(batch, true);
        const auto networks = adapt(s, batch, how);
        detail::require_finite_inner(networks.outcomes);
        const integer count = batch.query.count, outputs = problem_.task.outputs;
        const auto z = logits(networks, batch.query.inputs, count);
        detail::require_finite_outputs(z, count, outputs);
        std::vector<double> result(std::size_t(batch.tasks), 0.0);
        const integer targets = Problem::loss::is_classification ? 1 : outputs;  // of an example
        for (integer t = 0; t < batch.tasks; ++t)
            result[std::size_t(t)] =
                detail::quality(z.data() + t * count * outputs, batch.query.targets + t * count * targets, count, outputs);
        return result;
    }

    // A batch of another kind is refused in words, not by a failed conversion.
    template <explain::other_than<batch_type> Other> bilevel::report step(state_type&, const Other&) {
        static_assert(explain::batch<Other, batch_type>::value);
        return {};
    }
    template <explain::other_than<batch_type> Other> hypergradient_result<scalar> hypergradient(const state_type&, const Other&) {
        static_assert(explain::batch<Other, batch_type>::value);
        return {};
    }
    template <explain::other_than<batch_type> Other>
    adapted<scalar> adapt(const state_type&, const Other&, const evaluation_settings& = {}) {
        static_assert(explain::batch<Other, batch_type>::value);
        return {};
    }
    template <explain::other_than<batch_type> Other>
    std::vector<double> evaluate(const state_type&, const Other&, const evaluation_settings& = {}) {
        static_assert(explain::batch<Other, batch_type>::value);
        return {};
    }

private:
    using slots = detail::upload_slot;
    using outer_step = typename Outer::template step<scalar>;

    static void require_size(const char* who, std::size_t holds, const char* what, integer expected) {
        if (integer(holds) != expected)
            throw argument_error(std::string(who) + ": it holds " + std::to_string(holds) + " " + what + ", the problem has " +
                                 std::to_string(expected));
    }
    void require_fit(const state_type& s) const {
        require_size("state", s.parameters.size(), "parameters", problem_.outer_size());
        require_size("state", s.statistics.size(), "statistics of batch norm", problem_.statistics_size());
    }

    /// Moves the state along the hypergradient, where the condition holds: kernels alone, which may be repeated.
    void move(state_type& s, const outer_step* now, const bool* condition) {
        const integer size = problem_.outer_size();
        scalar* const g = gradient_.vector().data();
        settings_.clipping.apply(backend_->worker(0), g, size, gradient_.number());
        // As a job of the backend's, so that all of its threads share it.
        backend_->for_each_block(
            1,
            [&](integer, integer w) {
                detail::conditional_kernels<kernels> k(backend_->worker(w), condition);
                settings_.outer.update(k, s.parameters.data(), static_cast<const scalar*>(g), s.moments.data(), size, now);
                k.for_each_index(problem_.statistics_size(),
                                 detail::copied_values<scalar>{s.statistics.data(), gradient_.statistics().data()});
            },
            [](integer, integer) {});
    }
    template <class P> using prediction = nn::prediction<kernels, typename P::network>;
    template <class P> static auto prediction_type() {
        if constexpr (requires { typename P::network; }) {
            return std::type_identity<prediction<P>>{};
        } else {
            return std::type_identity<int>{};
        }
    }

    memory& array_memory() const { return backend_->worker(0).array_memory(); }
    detail::shared_arrays<kernels> shared() const { return detail::shared_arrays<kernels>(backend_->worker(0)); }
    Backend* backend_;
    Problem problem_;
    settings_type settings_;
    outer_step outer_step_{};
    std::vector<std::unique_ptr<detail::adaptation<kernels, Problem>>> adaptations_;
    std::vector<std::unique_ptr<typename decltype(prediction_type<Problem>())::type>> predictions_;
    detail::meta_gradient<Backend, Problem, Hypergradient, Inner> gradient_{};
};

/// A solver from its policies: `make_solver<hypergradient::implicit_cg, inner::gradient_descent, outer::adam>(backend, problem, {…})`.
template <class Hypergradient, class Inner, class Outer, class Backend, class Problem>
auto make_solver(Backend& backend, Problem problem, std::type_identity_t<solver_settings<Hypergradient, Inner, Outer>> settings = {}) {
    return solver<Backend, Problem, Hypergradient, Inner, Outer>(backend, std::move(problem), settings);
}

}  // namespace bilevel
