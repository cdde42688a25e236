// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/learner.hpp"
#include "few_shot/settings.hpp"

#include <bilevel/evaluation/accuracy.hpp>

#include <cstdint>
#include <exception>
#include <string>

namespace few_shot {

/// What a run ends with.
struct results {
    bilevel::evaluation::measurement test;
    std::uint64_t first_iteration = 0;   // where this process began: not 0 when resumed
    std::uint64_t tested_iteration = 0;  // the best state's, where that is kept, else the last
    double seconds = 0, training_seconds = 0, test_seconds = 0;  // of this process
    double peak_rss_mb = 0;
    std::string backend, data;
};

/// Writes the JSON and the plot, where they are asked for, each whatever becomes of the other; gives the first `bilevel::data_error`, which begins with the file's
/// name, if any.
std::exception_ptr write_results(const settings& s, const state& trained, const results& r);

}  // namespace few_shot
