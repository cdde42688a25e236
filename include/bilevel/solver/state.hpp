// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/integer.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace bilevel {

/// Initialisation: what a state begins with.
struct initialisation {
    std::uint64_t seed = 0;
};

/// One point of a learning curve.
struct curve_point {
    std::uint64_t iteration = 0;
    double loss = 0;
    double accuracy = -1;             // on training episodes
    double validation_accuracy = -1;  // −1: not measured there
    double validation_ci95 = 0;

    friend bool operator==(const curve_point&, const curve_point&) = default;
};

/// The parameters that did best on validation episodes, kept when a training loop asks for it; empty otherwise.
template <class Scalar> struct best_parameters {
    aligned_vector<Scalar> parameters;
    aligned_vector<Scalar> statistics;
    std::uint64_t iteration = 0;
    double validation_accuracy = -1;
};

/// Everything that training changes, and nothing else: a checkpoint is exactly this.
template <class Scalar> struct state {
    aligned_vector<Scalar> parameters;  // x, in the layout of the problem
    aligned_vector<Scalar> statistics;  // batch norm's running means and variances
    aligned_vector<Scalar> moments;     // the memory of the outer optimiser
    std::uint64_t iteration = 0;        // steps done; the next meta-batch of a counted task stream
    std::vector<curve_point> learning_curve;
    best_parameters<Scalar> best;
    /// What the state was trained with, as lines `name=value` that whoever trains writes; `read_checkpoint` refuses a file whose lines are others.
    std::string fingerprint;
};

}  // namespace bilevel
