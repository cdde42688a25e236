// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/results.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/io/json.hpp>
#include <bilevel/io/learning_curve_svg.hpp>

namespace few_shot {

namespace {

using bilevel::io::json;

json json_of(const settings& s, const state& trained, const results& r) {
    json values = json::object(), origins = json::object();
    s.for_each([&](const char* name, const auto& x, changes, const char*) {
        values.set(name, json(x.value));
        origins.set(name, x.origin);
    });
    json validation = json::array();
    for (const auto& p : trained.learning_curve)
        if (p.validation_accuracy >= 0)
            validation.push(
                json::object().set("iteration", p.iteration).set("accuracy", p.validation_accuracy).set("ci95", p.validation_ci95));
    json all = json::object();
    all.set("accuracy", r.test.mean).set("ci95", r.test.ci95).set("episodes", r.test.episodes);
    all.set("ways", r.test.outputs).set("support_images", r.test.support).set("query_images", r.test.queries);
    all.set("inner_level", r.test.inner_level).set("batch_norm", r.test.batch_norm);
    all.set("iterations", trained.iteration).set("tested_iteration", r.tested_iteration).set("resumed_at_iteration", r.first_iteration);
    all.set("seconds", r.seconds).set("training_seconds", r.training_seconds).set("test_seconds", r.test_seconds);
    all.set("peak_rss_mb", r.peak_rss_mb).set("backend", r.backend).set("data", r.data);
    all.set("settings", std::move(values)).set("origins", std::move(origins)).set("validation", std::move(validation));
    return all;
}

bilevel::io::learning_curve curve_of(const settings& s, const state& trained) {
    bilevel::io::learning_curve curve;
    curve.title = s.algorithm.value + ", " + s.network.value + " (" + std::to_string(s.filters.value) + "), " + s.dataset.value + ", " +
                  std::to_string(s.ways.value) + "-way " + std::to_string(s.shots.value) + "-shot";
    for (const auto& p : trained.learning_curve) {
        curve.training.push_back({double(p.iteration), p.accuracy, 0});
        if (p.validation_accuracy >= 0) curve.validation.push_back({double(p.iteration), p.validation_accuracy, p.validation_ci95});
    }
    return curve;
}

}  // namespace

std::exception_ptr write_results(const settings& s, const state& trained, const results& r) {
    std::exception_ptr failure;
    const auto attempt = [&](const std::string& file, auto write) {
        try {
            if (!file.empty()) write(file);
        } catch (const bilevel::data_error&) {
            if (!failure) failure = std::current_exception();
        }
    };
    attempt(s.json, [&](const std::string& file) { json_of(s, trained, r).write(file); });
    attempt(s.plot, [&](const std::string& file) { bilevel::io::write_learning_curve_svg(file, curve_of(s, trained)); });
    return failure;
}

}  // namespace few_shot
