// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/learner.hpp"
#include "few_shot/settings.hpp"

#include <exception>
#include <string>

namespace few_shot {

/// Thrown where a SIGINT or SIGTERM has asked to stop; what there is to keep has been written.
struct interrupted : std::exception {
    int signal = 0;
    explicit interrupted(int s) : signal(s) {}
    const char* what() const noexcept override { return "interrupted"; }
};

/// From here on SIGINT and SIGTERM wait for the end of the step. A second one ends the program at once.
void catch_signals();
/// Throws `interrupted` if one has come.
void stop_if_interrupted();

/// What training and validation draw from; without validation classes there is no `validation`.
struct episodes {
    batch_source training;
    sampler* validation = nullptr;
};

/// The state to begin with: the one of the checkpoint where there is one to resume from, else the initial one.
state starting_state(const learner& with, const settings& s, const std::string& fingerprint);

/// Trains a state to its last iteration. The meta-batch, and all else, is a function of the settings and the iteration alone; the checkpoint is written
/// at every interval, at the end, and when interrupted, and holds the whole state: a run that is killed at any moment and resumed ends in the same bits.
void train(learner& with, const settings& s, episodes& from, state& what);

/// How the settings measure: on test or validation episodes.
bilevel::evaluation::accuracy_settings test_protocol(const settings& s, integer count);

}  // namespace few_shot
