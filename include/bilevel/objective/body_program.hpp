// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/cost.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/core/rows.hpp>

#include <optional>

namespace bilevel::objective {

/// The body of a network, cut off at the features: forward once, and backward once from whatever adjoint the features have gathered.
/// Nothing in it moves; its parameters' gradient is wanted.
template <class Kernels, class Network> class body_program {
public:
    using scalar = typename Kernels::scalar;

    body_program() = default;
    body_program(integer tasks, integer count, memory& arrays = host_memory()) {
        backend::cost<scalar> counter;
        body_program<backend::cost<scalar>, Network> counted;
        counted.forward(counter, tasks, count, nullptr, {}, {});
        counted.backward({}, {});
        values_ = workspace(counted.used(), arrays);
    }

    /// The features of the inputs under the parameters x.    // (tasks, count, input) -> (tasks, count, features)
    auto forward(Kernels& kernels, integer tasks, integer count, const scalar* inputs, rows<const scalar> x, rows<scalar> statistics) {
        kernels_ = &kernels;
        values_.rewind();
        x_ = x;
        evaluator e{kernels, values_, none_};
        saved_.emplace(
            Network::body::forward(e, images{tasks, count, 0, const_cast<scalar*>(inputs), count * Network::input::count(), nullptr, 0},
                                   parameters(tasks, x, statistics)));
        return saved_->value;
    }

    /// g ← (∂features/∂x)ᵀ · adjoint, after `forward`; may be called once for each `forward`.
    void backward(rows<const scalar> adjoint, rows<scalar> g) {
        evaluator e{*kernels_, values_, none_};
        const integer tasks = saved_->value.tasks, count = saved_->value.batch;
        const array<scalar, typename Network::features> dy{tasks, count, 0, const_cast<scalar*>(adjoint.data), adjoint.stride, nullptr, 0};
        Network::body::backward(e, saved_->saved, parameters(tasks, x_, {}),
                                parameter_vector<scalar, activity::adjoint>{g.data, g.stride, nullptr, 0, tasks, 0, nullptr, 0}, dy);
    }

    std::size_t used() const { return values_.used(); }

private:
    using evaluator = autodiff::evaluator<autodiff::reading::primal, Kernels>;
    using images = array<scalar, typename Network::input>;
    static auto parameters(integer tasks, rows<const scalar> x, rows<scalar> statistics) {
        return parameter_vector<scalar, activity::adjoint>{
            const_cast<scalar*>(x.data), x.stride, nullptr, 0, tasks, 0, statistics.data, statistics.stride};
    }
    using saved = decltype(Network::body::forward(std::declval<evaluator&>(), std::declval<images>(),
                                                  std::declval<parameter_vector<scalar, activity::adjoint>>()));

    Kernels* kernels_ = nullptr;
    workspace values_, none_;
    rows<const scalar> x_{};
    std::optional<saved> saved_;
};

}  // namespace bilevel::objective
