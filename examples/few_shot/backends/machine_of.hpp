// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/backends/machine.hpp"

#include <bilevel/data/resident_episodes.hpp>

#include <memory>
#include <string>

namespace few_shot {

/// A backend as a machine. The solvers are compiled elsewhere, for each backend: algorithms/.
template <class Backend> class machine_of final : public machine {
public:
    template <class... Settings> explicit machine_of(const Settings&... settings) : backend_(settings...) {}

    std::string describe() const override { return backend_.describe(); }
    bilevel::memory& batch_memory() const override {
        if constexpr (requires(const Backend& on) { on.batch_memory(); }) {
            return backend_.batch_memory();
        } else {
            return bilevel::host_memory();
        }
    }
    std::unique_ptr<learner> make_learner(const settings& s, integer training_classes) override {
        return s.network.value == "conv4" ? make_algorithm<pooled>(s, training_classes) : make_algorithm<strided>(s, training_classes);
    }
    batch_source batches(const sampler& from, integer tasks) override {
        using kernels = typename Backend::kernels;
        if constexpr (!kernels::arrays_are_on_the_host) {
            const auto resident = std::make_shared<bilevel::data::resident_episodes<kernels>>(backend_.worker(0), from);
            return [=](integer i) { return resident->batch(i, tasks); };
        } else {
            const auto own = std::make_shared<sampler>(from);
            return [=](integer i) { return own->batch(i, tasks); };
        }
    }

private:
    template <class Kind> std::unique_ptr<learner> make_algorithm(const settings& s, integer training_classes) {
        const std::string& algorithm = s.algorithm;
        if (algorithm == "mtl") return make_mtl<Kind>(backend_, s, training_classes);
        if (algorithm == "fomaml") return make_fomaml<Kind>(backend_, s);
        if (algorithm == "imaml") return make_imaml<Kind>(backend_, s);
        if (algorithm == "anil") return make_anil<Kind>(backend_, s);
        return make_maml<Kind>(backend_, s);
    }

    Backend backend_;
};

}  // namespace few_shot
