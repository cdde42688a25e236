// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/learner.hpp"
#include "few_shot/settings.hpp"

#include <bilevel/core/memory.hpp>
#include <bilevel/data/image_set.hpp>

#include <string>

namespace few_shot {

/// The images that the settings name, and their fingerprint. Throws `bilevel::data_error` that names the file or folder, or
/// `bilevel::argument_error` where the settings ask for more than there is.
struct images {
    bilevel::data::image_splits<> splits;
    std::string description;
    std::string fingerprint;  // a `name=value` line
};
images load_images(const settings& s);

/// The episodes of training, validation and test, in this memory; every list is a function of the seed.
sampler training_episodes(const settings& s, const images& from, bilevel::memory& in);
sampler validation_episodes(const settings& s, const images& from, bilevel::memory& in);
sampler test_episodes(const settings& s, const images& from, bilevel::memory& in);

}  // namespace few_shot
