// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/bill.hpp>
#include <bilevel/backend/cost.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/objective/gradient_program.hpp>

namespace bilevel::objective {

/// The gradient program of a head on features that somebody else computed. The features do not move, their adjoint is wanted: under the tangent
/// reading its tangent is the mixed product ∇_features⟨∇_y ℓ, v⟩.
template <class Network, class Loss, activity Head = activity::active> struct head_program {
    template <class Scalar> using features = array<Scalar, typename Network::features, activity::adjoint>;

    template <class Scalar, activity Activity> struct results {
        view<Scalar> loss;
        view<Scalar> logits;
        array<Scalar, typename Network::features, Activity> adjoint;  // of the features
    };

    template <autodiff::reading Reading, class Kernels, class Scalar, class Target>
    static auto read(Kernels& kernels, const features<Scalar>& x, Target* labels, integer outputs, const gradient_vectors<Scalar>& v,
                     workspace& values, workspace& tangents) {
        autodiff::evaluator<Reading, Kernels> e{kernels, values, tangents};
        const integer tasks = x.tasks;
        const parameter_vector<Scalar, Head> head{
            v.parameters.data, v.parameters.stride, v.direction.data, v.direction.stride, tasks, outputs, nullptr, 0};
        const parameter_vector<Scalar, Head> dhead{
            v.gradient.data, v.gradient.stride, v.gradient_tangent.data, v.gradient_tangent.stride, tasks, outputs, nullptr, 0};
        const auto targets = Loss::targets(labels, tasks, x.batch, outputs);
        auto logits = Network::head::forward(e, x, head);
        auto [loss, saved] = Loss::forward(e, logits.value, targets);
        auto dz = Loss::backward(e, saved, targets);
        auto dx = Network::head::backward(e, logits.saved, head, dhead, dz);
        return results<Scalar, decltype(dx)::act>{values_of(loss), values_of(logits.value), dx};
    }

    /// What one reading costs; see `gradient_program::cost`.
    template <autodiff::reading Reading, class Scalar> static backend::bill cost(integer tasks, integer count, integer outputs) {
        using target = typename Loss::template target<Scalar>;
        backend::cost<Scalar> counter;
        workspace values, tangents;
        const integer size = Network::head::parameters::size(outputs), of_features = padded(count * Network::features::count());
        const features<Scalar> x{tasks, count, 0, nullptr, of_features, nullptr, of_features};
        const rows<Scalar> of_task{nullptr, size, tasks, size};
        read<Reading>(counter, x, static_cast<target*>(nullptr), outputs, {of_task, of_task, of_task, of_task}, values, tangents);
        return {counter.flops, counter.bytes, values.used(), tangents.used()};
    }
};

}  // namespace bilevel::objective
