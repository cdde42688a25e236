// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/io/checkpoint.hpp>
#include <bilevel/solver/state.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace bilevel {

/// What tells two fingerprints (lines `name=value`) apart: "ways=5, not ways=20; seed=1, not seed=2"; empty where they are the same.
inline std::string fingerprint_difference(const std::string& found, const std::string& expected) {
    const auto lines = [](const std::string& text) {
        std::map<std::string, std::string> all;
        std::istringstream stream(text);
        for (std::string line; std::getline(stream, line);) all[line.substr(0, line.find('='))] = line;
        return all;
    };
    const auto theirs = lines(found), ours = lines(expected);
    std::string difference;
    const auto add = [&](const std::string& one, const std::string& other) {
        difference += (difference.empty() ? "" : "; ") + one + ", not " + other;
    };
    for (const auto& [name, line] : theirs) {
        const auto same = ours.find(name);
        if (same == ours.end()) add(line, "without " + name);
        if (same != ours.end() && same->second != line) add(line, same->second);
    }
    for (const auto& [name, line] : ours)
        if (theirs.find(name) == theirs.end()) add("without " + name, line);
    return difference;
}

/// Writes a state to a file, whole or not at all; the same state gives the same bytes. Throws `checkpoint_error` that begins with the file's name.
template <class Scalar> void write_checkpoint(const std::filesystem::path& file, const state<Scalar>& s) {
    io::checkpoint_writer out;
    out.add("fingerprint", s.fingerprint);
    out.add("iteration", s.iteration);
    out.add("parameters", s.parameters);
    out.add("statistics", s.statistics);
    out.add("moments", s.moments);
    // The curve by columns; what is measured at few points has few rows.
    std::vector<std::uint64_t> iterations, validated;
    std::vector<double> losses, accuracies, validation_accuracies, intervals;
    for (std::size_t i = 0; i < s.learning_curve.size(); ++i) {
        const curve_point& p = s.learning_curve[i];
        iterations.push_back(p.iteration);
        losses.push_back(p.loss);
        accuracies.push_back(p.accuracy);
        if (p.validation_accuracy < 0) continue;
        validated.push_back(i);
        validation_accuracies.push_back(p.validation_accuracy);
        intervals.push_back(p.validation_ci95);
    }
    out.add("curve.iteration", iterations);
    out.add("curve.loss", losses);
    out.add("curve.accuracy", accuracies);
    out.add("curve.validated", validated);
    out.add("curve.validation_accuracy", validation_accuracies);
    out.add("curve.validation_ci95", intervals);
    out.add("best.parameters", s.best.parameters);
    out.add("best.statistics", s.best.statistics);
    out.add("best.iteration", s.best.iteration);
    out.add("best.validation_accuracy", s.best.validation_accuracy);
    out.write(file);
}

/// Reads a state that continues `initial`, the state before the first step of the same solver with the fingerprint of this run. Throws
/// `checkpoint_error` that begins with the file's name where the file is damaged, was written with other settings (it says which) or for another
/// network. The state goes on as if the training had never stopped.
template <class Scalar> state<Scalar> read_checkpoint(const std::filesystem::path& file, const state<Scalar>& initial) {
    const io::checkpoint_reader in(file);
    const auto refuse = [&](const std::string& what) { throw checkpoint_error(in.file() + ": " + what); };
    state<Scalar> s;
    s.fingerprint = in.text("fingerprint");
    if (const auto difference = fingerprint_difference(s.fingerprint, initial.fingerprint); !difference.empty())
        refuse("was written with other settings: " + difference);
    s.iteration = in.value<std::uint64_t>("iteration");
    s.parameters.resize(initial.parameters.size());
    s.statistics.resize(initial.statistics.size());
    s.moments.resize(initial.moments.size());
    in.read("parameters", std::span<Scalar>(s.parameters));
    in.read("statistics", std::span<Scalar>(s.statistics));
    in.read("moments", std::span<Scalar>(s.moments));

    const auto iterations = in.values<std::uint64_t>("curve.iteration"), validated = in.values<std::uint64_t>("curve.validated");
    s.learning_curve.resize(iterations.size());
    std::vector<double> losses(iterations.size()), accuracies(iterations.size()), validation(validated.size()), intervals(validated.size());
    in.read("curve.loss", std::span<double>(losses));
    in.read("curve.accuracy", std::span<double>(accuracies));
    in.read("curve.validation_accuracy", std::span<double>(validation));
    in.read("curve.validation_ci95", std::span<double>(intervals));
    for (std::size_t i = 0; i < iterations.size(); ++i) s.learning_curve[i] = {iterations[i], losses[i], accuracies[i]};
    for (std::size_t i = 0; i < validated.size(); ++i) {
        if (validated[i] >= s.learning_curve.size()) refuse("is damaged: a validation point lies outside the learning curve");
        s.learning_curve[validated[i]].validation_accuracy = validation[i];
        s.learning_curve[validated[i]].validation_ci95 = intervals[i];
    }

    s.best.iteration = in.value<std::uint64_t>("best.iteration");
    s.best.validation_accuracy = in.value<double>("best.validation_accuracy");
    if (in.count("best.parameters") > 0) {
        s.best.parameters.resize(initial.parameters.size());
        s.best.statistics.resize(initial.statistics.size());
        in.read("best.parameters", std::span<Scalar>(s.best.parameters));
        in.read("best.statistics", std::span<Scalar>(s.best.statistics));
    }
    return s;
}

}  // namespace bilevel
