// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient.hpp"

[[maybe_unused]] static const bool registered = (benchmarks::meta_step::register_network<benchmarks::strided_64>("strided_conv4_64"), true);
