// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/settings.hpp"

#include <bilevel/core/episode.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/evaluation/accuracy.hpp>
#include <bilevel/solver/report.hpp>
#include <bilevel/solver/state.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace few_shot {

using state = bilevel::state<float>;
using sampler = bilevel::data::episode_sampler<float>;
/// The i-th meta-batch of training; it lives until the next call.
using batch_source = std::function<bilevel::episodes_view<float, int>(integer i)>;

/// A solver without its type: what training and test ask of it, so that these are compiled once and not for each algorithm and network.
class learner {
public:
    learner() = default;
    learner(const learner&) = delete;
    learner& operator=(const learner&) = delete;
    virtual ~learner() = default;

    virtual state initialise(std::uint64_t seed) const = 0;
    virtual bilevel::report step(state& s, const bilevel::episodes_view<float, int>& batch) = 0;
    virtual bilevel::evaluation::measurement accuracy(const state& s, sampler& episodes,
                                                      const bilevel::evaluation::accuracy_settings& how) = 0;
};

// algorithms/: a file for each algorithm and kind of network (`pooled` or `strided`), compiled for every number of filters, and for every backend.
struct pooled;
struct strided;
template <class Kind, class Backend> std::unique_ptr<learner> make_maml(Backend& on, const settings& s);
template <class Kind, class Backend> std::unique_ptr<learner> make_fomaml(Backend& on, const settings& s);
template <class Kind, class Backend> std::unique_ptr<learner> make_imaml(Backend& on, const settings& s);
template <class Kind, class Backend> std::unique_ptr<learner> make_anil(Backend& on, const settings& s);
template <class Kind, class Backend> std::unique_ptr<learner> make_mtl(Backend& on, const settings& s, integer training_classes);

}  // namespace few_shot
