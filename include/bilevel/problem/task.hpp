// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

namespace bilevel {

/// What the tasks have in common: a network and a loss. An algorithm makes its problem of it: `maml` an episode, `imaml` a proximal
/// problem, `anil` an episode that adapts the head, `mtl` a shared body.
template <class Network, class Loss> struct task {
    using network = Network;
    using loss = Loss;
    integer outputs = 0;  // the ways of a classification, the width of a regression's target
};

}  // namespace bilevel
