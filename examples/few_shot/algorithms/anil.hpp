// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/algorithms/networks.hpp"
#include "few_shot/algorithms/unrolled.hpp"

#include <bilevel/algorithms.hpp>

namespace few_shot {

template <class Kind, class Backend> std::unique_ptr<learner> make_anil(Backend& on, const settings& s) {
    return with_filters<Kind>(s, [&](auto task) {
        return bilevel::anil(on, task,
                             {.inner = {.steps = s.inner_steps, .step_size = s.inner_rate},
                              .outer = {.step_size = s.outer_rate, .epsilon = s.outer_epsilon},
                              .hypergradient = unrolled_by(s)});
    });
}

}  // namespace few_shot
