// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <backend/every_algorithm.hpp>

#include <fixtures/thrust.hpp>

TEST_CASE_TEMPLATE("thrust: the hypergradients are those of the cpu backend, for any number of threads", Scalar, float, double) {
    every_algorithm::check_network<fixture::parallel_thrust<Scalar>, fixture::two_blocks>([](auto f) { fixture::with_threads(f); });
}
