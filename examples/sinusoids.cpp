// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The sinusoids of the MAML paper [Finn17, section 5.1]: a network with two hidden layers of 40 learns a start from which one gradient step on ten points
// fits a sine of any amplitude and phase. Prints the error on new tasks before the step and after one and ten of them, for both orders of the
// hypergradient: changing the algorithm is changing one word.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/data/sinusoids.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/mean_squared_error.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numeric>

namespace bl = bilevel;
using task = bl::task<bl::nn::mlp<bl::shape<1>, 40, 40>, bl::objective::mean_squared_error>;

// ctest: 1000
int main(int count, char** arguments) {
    const int iterations = count > 1 ? std::atoi(arguments[1]) : 5000;
    if (iterations < 1) {
        std::fprintf(stderr, "sinusoids: the number of iterations is '%s', expected a positive number\n", arguments[1]);
        return EXIT_FAILURE;
    }
    bl::backend::cpu<float> backend;
    bl::data::sinusoids<float> training({.purpose = bl::random::purpose::training_episodes});
    bl::data::sinusoids<float> unseen({.queries = 100, .purpose = bl::random::purpose::test_episodes});

    std::printf("mean squared error on 600 new tasks\n              iterations  before   1 step  10 steps  seconds\n");
    const auto run = [&](const char* name, auto solver) {
        auto state = solver.initialise({.seed = 7});
        const auto error_after = [&](bl::integer steps) {
            try {
                const auto errors = solver.evaluate(state, unseen.episodes(0, 600), {.inner_steps = steps});
                return std::accumulate(errors.begin(), errors.end(), 0.0) / double(errors.size());
            } catch (const bl::numeric_error&) {  // a start that was never trained may diverge under ten steps
                return std::numeric_limits<double>::quiet_NaN();
            }
        };
        const auto show = [&](int i, double seconds) {
            std::printf("%-13s %10d %7.3f %8.3f %9.3f %8.1f\n", name, i, error_after(0), error_after(1), error_after(10), seconds);
        };
        show(0, 0);
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < iterations; ++i) solver.step(state, training.batch(i, 25));
        show(iterations, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    };
    run("first order", bl::fomaml(backend, task{.outputs = 1}, {.inner = {.steps = 1, .step_size = 0.01}, .outer = {.step_size = 1e-3}}));
    run("second order", bl::maml(backend, task{.outputs = 1}, {.inner = {.steps = 1, .step_size = 0.01}, .outer = {.step_size = 1e-3}}));
}
