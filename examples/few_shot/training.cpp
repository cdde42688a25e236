// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/training.hpp"

#include "few_shot/progress.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/solver/checkpoint.hpp>

#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

namespace few_shot {

namespace {

volatile sig_atomic_t signal_met = 0;

constexpr int noted_signals[] = {SIGINT, SIGTERM};

extern "C" void few_shot_note_signal(int number) {
    signal_met = number;
    for (const int next : noted_signals) ::signal(next, SIG_DFL);
}

void validate(learner& with, const settings& s, sampler& on, state& what, progress& bar) {
    const auto m = with.accuracy(what, on, test_protocol(s, s.validation_episodes));
    auto& point = what.learning_curve.back();
    point.validation_accuracy = m.mean;
    point.validation_ci95 = m.ci95;
    bar.clear();
    std::printf("iteration %llu: validation accuracy %.2f %% ± %.2f\n", static_cast<unsigned long long>(what.iteration), 100 * m.mean,
                100 * m.ci95);
    std::fflush(stdout);
    if (!s.keep_best || m.mean <= what.best.validation_accuracy) return;
    what.best = {what.parameters, what.statistics, what.iteration, m.mean};
}

}  // namespace

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = few_shot_note_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int number : noted_signals) ::sigaction(number, &action, nullptr);
}

void stop_if_interrupted() {
    if (signal_met != 0) throw interrupted(signal_met);
}

bilevel::evaluation::accuracy_settings test_protocol(const settings& s, integer count) {
    bilevel::evaluation::accuracy_settings how;
    how.episodes = count;
    how.inner_steps = s.test_inner_steps;
    how.normalisation = s.batch_norm.value == "batch" ? bilevel::autodiff::normalisation::batch : bilevel::autodiff::normalisation::running;
    return how;
}

state starting_state(const learner& with, const settings& s, const std::string& fingerprint) {
    state initial = with.initialise(s.seed);
    initial.fingerprint = fingerprint;
    if (!s.resume) return initial;
    if (!std::filesystem::exists(s.checkpoint.value)) {
        std::cout << "there is no " << s.checkpoint.value << " yet: from the beginning\n";
        return initial;
    }
    state resumed = bilevel::read_checkpoint(s.checkpoint.value, initial);
    if (resumed.iteration > std::uint64_t(s.iterations.value))
        throw bilevel::argument_error("--iterations: " + s.checkpoint.value + " has " + std::to_string(resumed.iteration) +
                                      " behind it; expected as many or more, found " + std::to_string(s.iterations.value));
    std::cout << "resumed from " << s.checkpoint.value << " at iteration " << resumed.iteration << "\n";
    return resumed;
}

void train(learner& with, const settings& s, episodes& from, state& what) {
    const auto last = std::uint64_t(s.iterations.value), interval = std::uint64_t(s.checkpoint_interval.value);
    const auto validation_interval = std::uint64_t(s.validation_interval.value);
    const auto write = [&] { bilevel::write_checkpoint(s.checkpoint.value, what); };
    if (what.iteration == last && !s.checkpoint.value.empty()) write();

    progress bar("training", last, what.iteration);
    double loss = 0, accuracy = 0;  // what the bar shows: means that forget
    bool is_first = true;
    while (what.iteration < last) {
        const auto batch = from.training(integer(what.iteration));
        bilevel::report report;
        try {
            report = with.step(what, batch);
        } catch (const bilevel::numeric_error& failure) {
            throw bilevel::numeric_error("iteration " + std::to_string(what.iteration) + ": " + failure.what());
        }
        what.learning_curve.push_back({what.iteration, report.loss, report.accuracy});
        if (from.validation != nullptr && what.iteration % validation_interval == 0) validate(with, s, *from.validation, what, bar);

        const int signal = signal_met;  // once: what comes after the decision to write waits for the next iteration
        if (!s.checkpoint.value.empty() && (what.iteration % interval == 0 || what.iteration == last || signal != 0)) write();
        if (signal != 0) throw interrupted(signal);

        loss = is_first ? report.loss : 0.95 * loss + 0.05 * report.loss;
        accuracy = is_first ? report.accuracy : 0.95 * accuracy + 0.05 * report.accuracy;
        is_first = false;
        bar.update(what.iteration, [&] {
            char text[64];
            std::snprintf(text, sizeof text, "loss %.3f, accuracy %.1f %%", loss, 100 * accuracy);
            return std::string(text);
        });
    }
}

}  // namespace few_shot
