// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/learner.hpp"

#include <bilevel/core/memory.hpp>

#include <memory>
#include <string>

namespace few_shot {

/// A backend without its type.
class machine {
public:
    machine() = default;
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;
    virtual ~machine() = default;

    virtual std::string describe() const = 0;
    /// Where episodes lie best.
    virtual bilevel::memory& batch_memory() const = 0;
    /// The solver of the algorithm and network that the settings name. The multi-task one has a head row for each of the training classes.
    virtual std::unique_ptr<learner> make_learner(const settings& s, integer training_classes) = 0;
    /// The meta-batches that a sampler draws, on a device out of images that lie there. The batches are the same either way.
    virtual batch_source batches(const sampler& from, integer tasks) = 0;
};

/// The one that the settings name. Throws `argument_error` where this program is not compiled for it.
std::unique_ptr<machine> make_machine(const settings& s);

// backends/: a file for each.
std::unique_ptr<machine> make_cpu(const settings& s);
std::unique_ptr<machine> make_reference(const settings& s);
std::unique_ptr<machine> make_thrust(const settings& s);
std::unique_ptr<machine> make_cuda(const settings& s);

}  // namespace few_shot
