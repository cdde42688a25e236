// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/data/detail/batch_numbers.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>

namespace bilevel::data {

/// The distribution of the sinusoids, and which list of tasks it is. The defaults are those of [Finn17, section 5.1].
struct sinusoid_settings {
    integer shots = 10;    // support points a task
    integer queries = 10;  // query points a task
    double lowest_amplitude = 0.1, highest_amplitude = 5;
    double lowest_phase = 0, highest_phase = std::numbers::pi;
    double lowest_input = -5, highest_input = 5;
    std::uint64_t seed = 7;
    random::purpose purpose = random::purpose::training_episodes;  // another purpose is another list
};

/// One task:  y = amplitude · sin(x − phase).
struct sinusoid {
    double amplitude = 0, phase = 0;
    double operator()(double x) const { return amplitude * std::sin(x - phase); }
};

/// Regression tasks of the MAML paper [Finn17, section 5.1]: amplitude, phase and inputs are uniform. Task e is a pure function of
/// (settings, e). The views live in the sampler's own memory until the next call; after the first call of a size it allocates nothing.
template <class Scalar = float> class sinusoids {
public:
    using scalar = Scalar;
    using target = Scalar;

    /// Throws `argument_error` where there are no support points or an interval is empty or not finite.
    explicit sinusoids(sinusoid_settings settings = {}) : settings_(settings) {
        if (settings.shots < 1) throw argument_error("shots: expected at least 1, found " + std::to_string(settings.shots));
        if (settings.queries < 0) throw argument_error("queries: expected at least 0, found " + std::to_string(settings.queries));
        require_interval("amplitude", settings.lowest_amplitude, settings.highest_amplitude);
        require_interval("phase", settings.lowest_phase, settings.highest_phase);
        require_interval("input", settings.lowest_input, settings.highest_input);
    }

    const sinusoid_settings& settings() const { return settings_; }

    /// The function behind task e.
    sinusoid task(integer e) const {
        random::generator draw = generator(e);
        return function(draw);
    }

    /// The i-th meta-batch: tasks i·tasks … i·tasks + tasks − 1. Any i in any order; throws `argument_error` where i < 0 or tasks < 1.
    episodes_view<Scalar, Scalar> batch(integer i, integer tasks) { return episodes(detail::first_of_batch(i, tasks), tasks); }

    /// The tasks first … first + tasks − 1 of the list. Throws `argument_error` where first < 0 or tasks < 1.
    episodes_view<Scalar, Scalar> episodes(integer first, integer tasks) {
        detail::require_episodes(first, tasks);
        const integer shots = settings_.shots, queries = settings_.queries;
        for (auto* buffer : {&support_inputs_, &support_targets_}) buffer->resize(static_cast<std::size_t>(tasks * shots));
        for (auto* buffer : {&query_inputs_, &query_targets_}) buffer->resize(static_cast<std::size_t>(tasks * queries));
        for (integer t = 0; t < tasks; ++t) {
            random::generator draw = generator(first + t);
            const sinusoid f = function(draw);
            for (integer k = 0; k < shots; ++k)
                point(draw, f, support_inputs_.data() + t * shots + k, support_targets_.data() + t * shots + k);
            for (integer k = 0; k < queries; ++k)
                point(draw, f, query_inputs_.data() + t * queries + k, query_targets_.data() + t * queries + k);
        }
        return {tasks,
                1,
                {shots, support_inputs_.data(), support_targets_.data(), 1},
                {queries, query_inputs_.data(), query_targets_.data(), 1},
                nullptr};
    }

private:
    static void require_interval(const char* name, double low, double high) {
        if (!(std::isfinite(low) && std::isfinite(high) && low <= high))
            throw argument_error(std::string(name) + ": expected a finite interval, found [" + std::to_string(low) + ", " +
                                 std::to_string(high) + "]");
    }
    random::generator generator(integer e) const { return {settings_.seed, settings_.purpose, static_cast<std::uint64_t>(e)}; }
    sinusoid function(random::generator& draw) const {
        const double amplitude = draw.uniform(settings_.lowest_amplitude, settings_.highest_amplitude);
        return {amplitude, draw.uniform(settings_.lowest_phase, settings_.highest_phase)};
    }
    void point(random::generator& draw, const sinusoid& f, Scalar* x, Scalar* y) const {
        *x = static_cast<Scalar>(draw.uniform(settings_.lowest_input, settings_.highest_input));
        *y = static_cast<Scalar>(f(static_cast<double>(*x)));  // of the rounded input, which is the one that is seen
    }

    sinusoid_settings settings_;
    aligned_vector<Scalar> support_inputs_, support_targets_, query_inputs_, query_targets_;
};

}  // namespace bilevel::data
