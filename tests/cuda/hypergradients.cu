// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda.cuh>

#include <backend/every_algorithm.hpp>

TEST_CASE_TEMPLATE("cuda: the hypergradients are those of the cpu backend, in every run", Scalar, float, double) {
    every_algorithm::check_network<bilevel::backend::cuda<Scalar>, fixture::two_blocks>([](auto f) {
        for (int run = 0; run < 3; ++run) f();
    });
}
