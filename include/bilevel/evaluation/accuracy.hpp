// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/evaluation/interval.hpp>
#include <bilevel/solver.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bilevel::evaluation {

/// How a trained state is measured.
struct accuracy_settings {
    integer episodes = 1000;  // the first so many of the sampler's list
    integer inner_steps = -1;  // −1: as many as in training
    std::optional<autodiff::normalisation> normalisation{};  // of the queries, see `evaluation_settings`
    integer batch = 32;  // episodes at a time, for the backend's threads; the result does not depend on it
    std::function<void(integer)> progress{};  // told how many episodes are done; may throw to stop
};

/// What was measured, and under which protocol.
struct measurement {
    double mean = 0;  // share of correct queries, or the loss of a regression; mean over the episodes
    double ci95 = 0;  // half the width of its 95 % confidence interval; NaN for a single episode
    integer episodes = 0;
    integer outputs = 0, support = 0, queries = 0;  // ways, support and query examples an episode
    bool is_classification = true;
    std::string inner_level;  // steps in training and at test, or what adapts instead
    std::string batch_norm;   // what it normalised with

    /// One line: the figure with its interval, the episodes, the steps and batch norm's behaviour.
    std::string describe() const {
        char figure[96];
        if (is_classification) {
            std::snprintf(figure, sizeof figure, "accuracy %.2f %% ± %.2f", 100 * mean, 100 * ci95);
        } else {
            std::snprintf(figure, sizeof figure, "loss %.4g ± %.2g", mean, ci95);
        }
        const auto several = [](integer n, const std::string& what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); };
        std::string episode = several(support, "support point") + " and " + several(queries, "query point");
        if (is_classification && outputs > 0 && support % outputs == 0 && queries % outputs == 0)
            episode = std::to_string(outputs) + "-way " + std::to_string(support / outputs) + "-shot, " +
                      std::to_string(queries / outputs) + (queries == outputs ? " query" : " queries") + " a class";
        return std::string(figure) + " (95 % confidence, " + several(episodes, "episode") + ": " + episode + "; " + inner_level + "; " +
               batch_norm + ")";
    }
};

namespace detail {

template <class Solver> std::string inner_level_of(const Solver& solver, integer steps) {
    using problem = typename Solver::problem_type;
    if constexpr (problem::has_inner_level) {
        const integer training = solver.settings().inner.steps;
        return "inner steps: " + std::to_string(training) + " in training, " + std::to_string(steps < 0 ? training : steps) + " at test";
    } else {
        char text[96];
        std::snprintf(text, sizeof text, "no inner level in training, logistic regression (C = %g) at test",
                      solver.problem().regression.inverse_regularisation);
        return text;
    }
}

inline std::string batch_norm_of(bool has_any, bool has_inner_level, autodiff::normalisation how) {
    if (!has_any) return "no batch norm";
    if (how == autodiff::normalisation::batch) return "batch norm: statistics of the batch, so transductive over an episode's queries";
    return std::string("batch norm: running statistics") + (has_inner_level ? " for queries, those of the batch while adapting" : "");
}

}  // namespace detail

/// Measures a state on the fixed list of episodes 0 … E−1 of a sampler: each episode is adapted to and asked about by itself. The mean accuracy (or
/// loss, for a regression) ± its 95 % confidence interval. Changes nothing. Throws `argument_error` where there are no episodes or they do not fit, and
/// `numeric_error` that names the episodes where one cannot be adapted to (`solver.evaluate`).
template <class Solver, class Sampler>
measurement accuracy(Solver& solver, const typename Solver::state_type& state, Sampler& sampler, const accuracy_settings& settings = {}) {
    using problem = typename Solver::problem_type;
    if (settings.episodes < 1) throw argument_error("accuracy: expected at least 1 episode, found " + std::to_string(settings.episodes));
    if (settings.batch < 1)
        throw argument_error("accuracy: expected batches of at least 1 episode, found " + std::to_string(settings.batch));
    const auto normalisation = settings.normalisation.value_or(Solver::usual_normalisation);
    std::vector<double> values;
    values.reserve(std::size_t(settings.episodes));
    measurement m;
    for (integer first = 0; first < settings.episodes; first += settings.batch) {
        const auto batch = sampler.episodes(first, std::min(settings.batch, settings.episodes - first));
        try {
            const auto part = solver.evaluate(state, batch, {settings.inner_steps, normalisation});
            values.insert(values.end(), part.begin(), part.end());
        } catch (const numeric_error& met) {
            throw numeric_error("episodes from " + std::to_string(first) + ": " + met.what());
        }
        m.outputs = batch.outputs;
        m.support = batch.support.count;
        m.queries = batch.query.count;
        if (settings.progress) settings.progress(integer(values.size()));
    }
    const auto interval = mean_interval(values);
    m.mean = interval.mean;
    m.ci95 = interval.ci95;
    m.episodes = interval.count;
    m.is_classification = problem::loss::is_classification;
    m.inner_level = detail::inner_level_of(solver, settings.inner_steps);
    m.batch_norm = detail::batch_norm_of(solver.problem().statistics_size() > 0, problem::has_inner_level, normalisation);
    return m;
}

}  // namespace bilevel::evaluation
