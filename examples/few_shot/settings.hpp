// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace few_shot {

using bilevel::integer;

/// The widths of the networks that are compiled into this program.
#ifdef FEW_SHOT_OF_32_FILTERS_ALONE  // which the tests do with, and need not wait for the others to compile
inline constexpr std::array<integer, 1> instantiated_filters{32};
#else
inline constexpr std::array<integer, 2> instantiated_filters{32, 64};
#endif

/// A value and where it comes from: "given", "published [Finn17]", "ours", or "not used by mtl".
template <class Value> struct setting {
    Value value{};
    std::string origin{};

    operator const Value&() const { return value; }
    bool given() const { return origin == "given"; }
    bool used() const { return origin.rfind("not used", 0) != 0; }
    /// Unless it was given, or has a default already.
    void otherwise(const Value& fallback, const std::string& from) {
        if (!origin.empty()) return;
        value = fallback;
        origin = from;
    }
};

/// Whether a setting changes the bits of the trained state: then a checkpoint may not be continued with another value of it.
enum class changes { state, validation_alone, nothing };

/// Everything that the command line can say.
struct settings {
    setting<std::string> algorithm, backend, network, dataset, data, split, rotations, batch_norm, planes, json, plot, checkpoint;
    setting<integer> ways, shots, queries, test_queries, iterations, meta_batch, inner_steps, test_inner_steps, filters, threads, episodes,
        validation_interval, validation_episodes, cg_iterations, planes_budget, checkpoint_interval;
    setting<double> inner_rate, outer_rate, outer_epsilon, proximal_weight, cg_damping;
    setting<std::uint64_t> seed;
    setting<bool> keep_best, resume;

    /// visit(name, setting, changes, description), in the order in which they are printed.
    template <class Visit> void for_each(Visit visit) { visit_all(*this, visit); }
    template <class Visit> void for_each(Visit visit) const { visit_all(*this, visit); }

    /// "--ways", "5", "ours" of every setting.
    struct row {
        std::string name, value, origin;
        bool used = true;
    };
    std::vector<row> rows() const;
    /// The settings as a table, one a line; what the algorithm does not use is left out unless it was given.
    std::string table() const;
    /// `name=value` lines of all that changes the bits of the trained state.
    std::string fingerprint() const;

private:
    template <class Self, class Visit> static void visit_all(Self& s, Visit& visit) {
        using enum changes;
        visit("algorithm", s.algorithm, state, "mtl, fomaml, maml, imaml or anil");
        visit("network", s.network, state, "conv4 (max pooling) or conv4_strided (stride 2)");
        visit("filters", s.filters, state, "of each convolution: 32 or 64");
        visit("dataset", s.dataset, state, "glyphs (made in memory) or omniglot");
        visit("data", s.data, nothing, "the folder of Omniglot, which holds images_background and images_evaluation");
        visit("split", s.split, state, "of Omniglot's characters: random (by the seed) or vinyals (lists)");
        visit("rotations", s.rotations, state,
              "by 90 degrees, in training: classes (new ones), episode (a random turn of each class) or none");
        visit("seed", s.seed, state, "of split, glyphs, initialisation and episodes");
        visit("ways", s.ways, state, "classes of an episode");
        visit("shots", s.shots, state, "support images a class");
        visit("queries", s.queries, state, "query images a class in training");
        visit("iterations", s.iterations, nothing, "steps of the outer optimiser");
        visit("meta-batch", s.meta_batch, state, "episodes of one step");
        visit("inner-steps", s.inner_steps, state, "in training, of all but mtl");
        visit("inner-rate", s.inner_rate, state, "step size of the inner level, of all but mtl");
        visit("outer-rate", s.outer_rate, state, "step size of Adam");
        visit("outer-epsilon", s.outer_epsilon, state, "epsilon of Adam");
        visit("proximal-weight", s.proximal_weight, state, "lambda of imaml");
        visit("cg-iterations", s.cg_iterations, state, "conjugate gradient steps of imaml");
        visit("cg-damping", s.cg_damping, state, "added to the diagonal of imaml's linear system");
        visit("planes", s.planes, nothing,
              "what maml and anil keep of the inner steps: kept (faster) or recomputed (less memory); the same bits");
        visit(
            "planes-budget", s.planes_budget, nothing,
            "megabytes that the kept ones of one task may take (of all tasks on cuda), beyond which the first steps are recomputed; 0: no bound");
        visit("backend", s.backend, state, "who computes: cpu, and what else the program is compiled for of reference, thrust, cuda");
        visit("threads", s.threads, nothing, "the result does not depend on them");
        visit("test-queries", s.test_queries, validation_alone, "query images a class at test");
        visit("test-inner-steps", s.test_inner_steps, validation_alone, "at test, of all but mtl");
        visit("batch-norm", s.batch_norm, validation_alone, "of the queries at test: batch (transductive) or running (statistics)");
        visit("episodes", s.episodes, nothing, "test episodes");
        visit("validation-interval", s.validation_interval, state, "iterations between validations; 0: none");
        visit("validation-episodes", s.validation_episodes, validation_alone, "episodes of each");
        visit("keep-best", s.keep_best, validation_alone, "test the state that was best on validation episodes");
        visit("checkpoint", s.checkpoint, nothing, "file of the whole state of training");
        visit("checkpoint-interval", s.checkpoint_interval, nothing, "iterations between its writings");
        visit("resume", s.resume, nothing, "go on from the checkpoint; from the beginning where there is none yet");
        visit("json", s.json, nothing, "file for the result and every setting");
        visit("plot", s.plot, nothing, "file for the learning curve, as an SVG");
    }
};

/// The settings of a command line, with the defaults that the algorithm and the data set ask for: the published recipe where there is one. Throws
/// `bilevel::argument_error` that names the argument, also where nothing would read it. Nothing where help was asked for and printed.
std::optional<settings> parse(int argc, char** argv);

}  // namespace few_shot
