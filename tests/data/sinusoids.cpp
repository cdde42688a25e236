// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/data/sinusoids.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

using bilevel::argument_error;
using bilevel::integer;
namespace data = bilevel::data;

TEST_CASE("sinusoids: the points lie on the task's function, within the published ranges") {
    data::sinusoids<double> tasks({.shots = 4, .queries = 7});
    const auto e = tasks.batch(2, 500);
    CHECK(e.outputs == 1);
    CHECK(e.classes == nullptr);
    double amplitudes = 0, phases = 0, inputs = 0, highest = 0;
    for (integer t = 0; t < 500; ++t) {
        const auto f = tasks.task(1000 + t);
        CHECK(f.amplitude >= 0.1);
        CHECK(f.amplitude <= 5);
        CHECK(f.phase >= 0);
        CHECK(f.phase <= std::numbers::pi);
        amplitudes += f.amplitude;
        phases += f.phase;
        for (const auto* part : {&e.support, &e.query})
            for (integer k = t * part->count; k < (t + 1) * part->count; ++k) {
                CHECK(std::abs(part->inputs[k]) <= 5);
                CHECK(part->targets[k] == doctest::Approx(f.amplitude * std::sin(part->inputs[k] - f.phase)).epsilon(1e-12));
                inputs += part->inputs[k];
                highest = std::max(highest, part->inputs[k]);
            }
    }
    // Means of uniforms: five standard deviations, width/√12/√n.
    CHECK(std::abs(amplitudes / 500 - 2.55) < 5 * 4.9 / std::sqrt(12 * 500.0));
    CHECK(std::abs(phases / 500 - std::numbers::pi / 2) < 5 * std::numbers::pi / std::sqrt(12 * 500.0));
    CHECK(std::abs(inputs / 5500) < 5 * 10 / std::sqrt(12 * 5500.0));
    CHECK(highest > 4.9);
}

TEST_CASE("sinusoids: a task is a function of its number alone") {
    data::sinusoids<float> a({.seed = 3}), b({.seed = 3}), other({.seed = 4}),
        test({.seed = 3, .purpose = bilevel::random::purpose::test_episodes});
    const auto whole = a.batch(1, 6);
    for (integer t = 5; t >= 0; --t) {
        const auto one = b.episodes(6 + t, 1);
        CHECK(std::equal(one.query.targets, one.query.targets + 10, whole.query.targets + 10 * t));
        CHECK(std::equal(one.support.inputs, one.support.inputs + 10, whole.support.inputs + 10 * t));
        CHECK_FALSE(std::equal(one.support.inputs, one.support.inputs + 10, one.query.inputs));
    }
    CHECK(other.batch(1, 6).support.inputs[0] != whole.support.inputs[0]);
    CHECK(test.batch(1, 6).support.inputs[0] != whole.support.inputs[0]);
}

TEST_CASE("sinusoids: settings that make no task are refused") {
    using tasks = data::sinusoids<float>;
    CHECK_THROWS_AS(tasks({.shots = 0}), argument_error);
    CHECK_THROWS_AS(tasks({.queries = -1}), argument_error);
    CHECK_THROWS_WITH_AS(tasks({.lowest_amplitude = 6}), "amplitude: expected a finite interval, found [6.000000, 5.000000]",
                         argument_error);
    CHECK_THROWS_AS(tasks({.highest_phase = std::numeric_limits<double>::infinity()}), argument_error);
    CHECK_THROWS_AS(tasks({.lowest_input = std::numeric_limits<double>::quiet_NaN()}), argument_error);
    tasks ok;
    CHECK_THROWS_AS((void)ok.batch(-1, 1), argument_error);
    CHECK_THROWS_AS((void)ok.batch(0, 0), argument_error);
}
