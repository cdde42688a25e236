// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Trains a few-shot classifier by one of five algorithms, on Omniglot or on characters that are made in memory, and measures it on episodes of unseen
// classes: `few_shot` alone does it in about a minute, `few_shot --help` says what else there is.
// ctest: --iterations 30 --meta-batch 4 --episodes 20
#include "few_shot/backends/machine.hpp"
#include "few_shot/data.hpp"
#include "few_shot/learner.hpp"
#include "few_shot/progress.hpp"
#include "few_shot/results.hpp"
#include "few_shot/settings.hpp"
#include "few_shot/training.hpp"
#include "peak_memory.hpp"

#include <bilevel/core/error.hpp>

#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <optional>

namespace few_shot {

namespace {

bilevel::evaluation::measurement measure(learner& with, const settings& s, sampler& on, const state& what) {
    progress bar("test", std::uint64_t(s.episodes.value));
    auto how = test_protocol(s, s.episodes);
    how.progress = [&](integer done) {
        stop_if_interrupted();
        bar.update(std::uint64_t(done), [] { return std::string("episodes"); });
    };
    return with.accuracy(what, on, how);
}

void run(const settings& s) {
    progress clock("", 0);
    const images data = load_images(s);
    const auto on = make_machine(s);
    auto test = test_episodes(s, data, on->batch_memory());
    std::optional<sampler> validation;
    if (s.validation_interval > 0) validation = validation_episodes(s, data, on->batch_memory());
    episodes from{on->batches(training_episodes(s, data, on->batch_memory()), s.meta_batch), validation ? &*validation : nullptr};

    const auto with = on->make_learner(s, data.splits.training.class_count());
    std::cout << "few_shot on " << on->describe() << ", with\n" << s.table() << data.description << std::endl;
    catch_signals();
    state trained = starting_state(*with, s, s.fingerprint() + data.fingerprint);

    results r;
    r.first_iteration = trained.iteration;
    r.backend = on->describe();
    r.data = data.description;
    const double begin = clock.seconds();
    train(*with, s, from, trained);
    r.training_seconds = clock.seconds() - begin;

    r.tested_iteration = trained.iteration;
    if (s.keep_best && !trained.best.parameters.empty()) {
        state best = trained;
        best.parameters = trained.best.parameters;
        best.statistics = trained.best.statistics;
        r.tested_iteration = trained.best.iteration;
        r.test = measure(*with, s, test, best);
    } else {
        r.test = measure(*with, s, test, trained);
    }
    r.seconds = clock.seconds();
    r.test_seconds = r.seconds - begin - r.training_seconds;
    r.peak_rss_mb = peak_rss_mb();
    const auto unwritten = write_results(s, trained, r);  // printed it is all the same

    const auto steps = trained.iteration - r.first_iteration;
    std::printf("trained %llu iterations in %.1f s", static_cast<unsigned long long>(steps), r.training_seconds);
    if (steps > 0) std::printf(" (%.3g s each)", r.training_seconds / double(steps));
    std::printf(", tested the state of iteration %llu in %.1f s, peak memory %.0f MB\ntest %s\n",
                static_cast<unsigned long long>(r.tested_iteration), r.test_seconds, r.peak_rss_mb, r.test.describe().c_str());
    std::fflush(stdout);
    if (unwritten) std::rethrow_exception(unwritten);
}

int failed(const char* why, int status) {
    std::cout.flush();
    std::fprintf(stderr, "few_shot: %s\n", why);
    return status;
}

}  // namespace
}  // namespace few_shot

int main(int argc, char** argv) {
    using few_shot::failed;
    std::optional<few_shot::settings> s;
    try {
        s = few_shot::parse(argc, argv);
        if (s) few_shot::run(*s);
        return 0;
    } catch (const few_shot::interrupted& stop) {
        const bool is_kept = s && !s->checkpoint.value.empty();
        return failed(is_kept ? ("interrupted; " + s->checkpoint.value + " holds all: go on with --resume").c_str()
                              : "interrupted; nothing was asked to be kept",
                      128 + stop.signal);
    } catch (const bilevel::argument_error& refused) {
        return failed(refused.what(), 2);
    } catch (const std::bad_alloc&) {
        return failed("out of memory: a smaller --meta-batch, --queries or --filters needs less", 1);
    } catch (const std::exception& failure) {
        return failed(failure.what(), 1);
    }
}
