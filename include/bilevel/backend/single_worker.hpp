// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

namespace bilevel::backend {

/// The execution of a set of kernels that is its own and only worker: blocks of one task, one after another, each merged as soon as it is done.
template <class Kernels> struct single_worker {
    integer workers() const { return 1; }
    Kernels& worker(integer) { return static_cast<Kernels&>(*this); }
    integer tasks_per_block(integer) const { return 1; }

    template <class Body, class Merge> void for_each_block(integer blocks, Body&& body, Merge&& merge) {
        for (integer block = 0; block < blocks; ++block) {
            body(block, integer{0});
            merge(block, integer{0});
        }
    }
};

}  // namespace bilevel::backend
