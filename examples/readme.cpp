// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The README's program, word for word between the two marks; a test compares them.

// [readme]
#include <bilevel/bilevel.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/data/glyphs.hpp>
#include <bilevel/evaluation/accuracy.hpp>

#include <cstdio>

int main() {  // second-order MAML; for FOMAML or ANIL write that word: nothing else changes
    namespace bl = bilevel;
    using network = bl::nn::conv4_strided<bl::shape<28, 28, 1>, 32>;
    bl::backend::cpu<float> backend{{.threads = 2}};
    auto glyphs = bl::data::glyphs({.seed = 7});
    auto solver = bl::maml(backend, bl::task<network, bl::objective::cross_entropy>{.outputs = 5},
                           {.inner = {.steps = 1, .step_size = 0.4}, .outer = {.step_size = 1e-3}});
    auto training = bl::data::episodes(glyphs.training, {.ways = 5, .shots = 1, .queries = 5, .seed = 7});
    auto test = bl::data::episodes(glyphs.test, {.ways = 5, .shots = 1, .queries = 5, .seed = 8});
    auto state = solver.initialise({.seed = 7});
    for (int i = 0; i < 200; ++i) solver.step(state, training.batch(i, 8));  // the i-th meta-batch, by counter
    auto result = bl::evaluation::accuracy(solver, state, test, {.episodes = 200, .inner_steps = 3});
    std::printf("accuracy %.3f +- %.3f\n", result.mean, result.ci95);
}
// [readme]
