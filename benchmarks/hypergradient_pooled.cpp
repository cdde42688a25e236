// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient.hpp"

// A unit of its own: each network doubles what the compiler has to do.
[[maybe_unused]] static const bool registered = (benchmarks::meta_step::register_network<benchmarks::pooled_64>("conv4_64"), true);
