// expect: bilevel: problem::proximal adds the pull of x itself: give it a problem whose inner objective does not see x
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/objective/quadratic.hpp>
#include <bilevel/problem/hyperparameter.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/problem/proximal.hpp>

using levels = bilevel::levels<bilevel::objective::quadratic, bilevel::objective::quadratic>;
#ifdef BILEVEL_CONTROL
using unpulled = bilevel::problem::episode<levels>;
#else
using unpulled = bilevel::problem::hyperparameter<levels>;
#endif
bilevel::problem::proximal<unpulled> problem;
