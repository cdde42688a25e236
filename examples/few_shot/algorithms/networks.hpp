// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "few_shot/learner.hpp"

#include <bilevel/nn/conv4.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/problem/task.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace few_shot {

/// A solver as a learner.
template <class Solver> class learner_of final : public learner {
public:
    explicit learner_of(Solver solver) : solver_(std::move(solver)) {}

    state initialise(std::uint64_t seed) const override { return solver_.initialise({.seed = seed}); }
    bilevel::report step(state& s, const bilevel::episodes_view<float, int>& batch) override { return solver_.step(s, batch); }
    bilevel::evaluation::measurement accuracy(const state& s, sampler& episodes,
                                              const bilevel::evaluation::accuracy_settings& how) override {
        return bilevel::evaluation::accuracy(solver_, s, episodes, how);
    }

private:
    Solver solver_;
};

using image = bilevel::shape<28, 28, 1>;
struct pooled {
    template <integer Filters> using network = bilevel::nn::conv4<image, Filters>;
};
struct strided {
    template <integer Filters> using network = bilevel::nn::conv4_strided<image, Filters>;
};

/// make(task) -> solver, with the task of the network of the settings' width, as a learner.
template <class Kind, class Make> std::unique_ptr<learner> with_filters(const settings& s, Make make) {
    const auto of = [&]<class Network>(std::type_identity<Network>) -> std::unique_ptr<learner> {
        auto solver = make(bilevel::task<Network, bilevel::objective::cross_entropy>{.outputs = s.ways});
        return std::make_unique<learner_of<decltype(solver)>>(std::move(solver));
    };
    static_assert(instantiated_filters.front() == 32 && (instantiated_filters.size() == 1 || instantiated_filters.back() == 64));
    if constexpr (instantiated_filters.size() > 1) {
        if (s.filters == 64) return of(std::type_identity<typename Kind::template network<64>>{});
    }
    return of(std::type_identity<typename Kind::template network<32>>{});
}

}  // namespace few_shot
