// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_algorithm.hpp>
#include <bilevel/backend/cuda/arithmetic.hpp>
#include <bilevel/core/integer.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace exchange {

using bilevel::integer;

/// What the program is asked to do with the network and the algorithm.
enum class request { evaluate, layout, write_example };

/// Everything that the command line can say.
struct settings {
    request what = request::evaluate;
    std::string algorithm, network, backend = "cpu", scalar = "float", planes = "kept", input, output, example;
    bilevel::backend::convolution_algorithm convolution = bilevel::backend::convolution_algorithm::automatic;  // of the cpu
    bilevel::backend::arithmetic arithmetic = bilevel::backend::arithmetic::fp32;  // of cuda
    bool cudnn = false;  // of cuda
    integer filters = 64, inner_steps = 5, cg_iterations = 5, threads = 1, repeat = 0;
    double inner_rate = 0.01, proximal_weight = 2, cg_damping = 0;
    // Of --layout and --write-example; an evaluation finds them in its input.
    std::array<integer, 3> image{28, 28, 1};  // height, width, channels
    integer ways = 5, shots = 1, queries = 1, tasks = 2, classes = 64;
    std::uint64_t seed = 7;

    bool is_mtl() const { return algorithm == "mtl"; }
    bool is_on_cuda() const { return backend == "cuda"; }
};

/// The settings of a command line. Throws `bilevel::argument_error` that names the argument. Nothing where help was asked for and printed.
std::optional<settings> parse(int argc, char** argv);

}  // namespace exchange
