// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/algorithms/networks.hpp"

#include <bilevel/algorithms.hpp>

namespace few_shot {

template <class Kind, class Backend> std::unique_ptr<learner> make_imaml(Backend& on, const settings& s) {
    return with_filters<Kind>(s, [&](auto task) {
        return bilevel::imaml(on, task, s.proximal_weight,
                              {.inner = {.steps = s.inner_steps, .step_size = s.inner_rate},
                               .outer = {.step_size = s.outer_rate, .epsilon = s.outer_epsilon},
                               .hypergradient = {.linear = {.iterations = s.cg_iterations, .damping = s.cg_damping}}});
    });
}

}  // namespace few_shot
