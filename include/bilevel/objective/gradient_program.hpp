// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/autodiff/kept_values.hpp>
#include <bilevel/backend/bill.hpp>
#include <bilevel/backend/cost.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/core/rows.hpp>
#include <bilevel/objective/examples.hpp>

namespace bilevel::objective {

/// Where a reading of the gradient program finds its vectors; what a reading does not need stays empty.
template <class Scalar> struct gradient_vectors {
    rows<Scalar> parameters;           // y
    rows<Scalar> gradient;             // ∇ℓ(y), written by the primal reading
    rows<Scalar> direction{};          // v
    rows<Scalar> gradient_tangent{};   // ∇²ℓ(y) v, written by the tangent reading
    rows<Scalar> statistics{};         // where batch norm leaves the batch's mean and variance, or none
};

/// What the program leaves for its reader: the loss of each task and the logits.
template <class Scalar> struct program_results {
    view<Scalar> loss;    // (tasks)
    view<Scalar> logits;  // (tasks, count, outputs)
};

/// The gradient of a network's loss, written once, as a program over array primitives, and read by different evaluators:
/// primal for the loss and its gradient, tangent for their derivatives along a direction (a Hessian-vector product), cost for what they cost.
/// Body and Head say which parameters move and which gradients are wanted: what neither moves nor is wanted is not computed.
template <class Network, class Loss, activity Body = activity::active, activity Head = activity::active> struct gradient_program {
    // The gradient moves with whatever moves; that of a constant is not wanted.
    static constexpr activity moving = (Body | Head) & activity::tangent;
    static constexpr activity body_gradient = (Body & activity::adjoint) | moving;
    static constexpr activity head_gradient = (Head & activity::adjoint) | moving;

    template <autodiff::reading Reading, class Kernels, class Scalar = typename Kernels::scalar>
    static program_results<Scalar> read(Kernels& kernels, const examples_block<Scalar, typename Loss::template target<Scalar>>& examples,
                                        const gradient_vectors<Scalar>& v, workspace& values, workspace& tangents,
                                        autodiff::kept_values* of_constants = nullptr, autodiff::kept_values* of_parameters = nullptr) {
        using target = typename Loss::template target<Scalar>;
        autodiff::evaluator<Reading, Kernels> e{kernels, values, tangents, of_constants, of_parameters};
        const auto each_kept = [=](auto f) {
            for (autodiff::kept_values* const kept : {of_constants, of_parameters})
                if (kept != nullptr) f(*kept);
        };
        each_kept([](autodiff::kept_values& kept) { kept.values.rewind(); });
        const integer tasks = examples.tasks, width = examples.outputs;
        constexpr integer cut = Network::body_size;
        const parameter_vector<Scalar, Body> body{
            v.parameters.data, v.parameters.stride, v.direction.data, v.direction.stride, tasks, width,
            v.statistics.data, v.statistics.stride};
        const parameter_vector<Scalar, Head> head{
            v.parameters.data, v.parameters.stride, v.direction.data, v.direction.stride, tasks, width, nullptr, 0};
        const parameter_vector<Scalar, body_gradient> dbody{
            v.gradient.data, v.gradient.stride, v.gradient_tangent.data, v.gradient_tangent.stride, tasks, width, nullptr, 0};
        const parameter_vector<Scalar, head_gradient> dhead{
            v.gradient.data, v.gradient.stride, v.gradient_tangent.data, v.gradient_tangent.stride, tasks, width, nullptr, 0};
        // Handles have one element type for what is read and what is written; a program never writes its inputs.
        const array<Scalar, typename Network::input> x{
            tasks, examples.count, 0, const_cast<Scalar*>(examples.inputs), examples.count * Network::input::count(), nullptr, 0};
        const auto targets = Loss::targets(const_cast<target*>(examples.targets), tasks, examples.count, width);

        auto features = Network::body::forward(e, x, body);
        auto logits = Network::head::forward(e, features.value, head.from(cut, 0));
        auto [loss, saved] = Loss::forward(e, logits.value, targets);
        auto dz = Loss::backward(e, saved, targets);
        auto dfeatures = Network::head::backward(e, logits.saved, head.from(cut, 0), dhead.from(cut, 0), dz);
        Network::body::backward(e, features.saved, body, dbody, dfeatures);
        each_kept([](autodiff::kept_values& kept) { kept.known = true; });
        if constexpr (Reading == autodiff::reading::primal) {
            return {values_of(loss), values_of(logits.value)};
        } else {
            return {tangents_of(loss), tangents_of(logits.value)};
        }
    }

    /// What one reading costs: floating-point operations, bytes moved, and the bytes of workspace that both planes take; beside them
    /// what is kept of the constants and of the parameters, where it is counted.
    template <autodiff::reading Reading, class Scalar>
    static backend::bill cost(integer tasks, integer count, integer outputs, autodiff::kept_values* of_constants = nullptr,
                              autodiff::kept_values* of_parameters = nullptr) {
        backend::cost<Scalar> counter;
        workspace values, tangents;  // without memory: they count
        const examples_block<Scalar, typename Loss::template target<Scalar>> examples{tasks, count, outputs, nullptr, nullptr};
        const rows<Scalar> of_task{nullptr, Network::size(outputs), tasks, Network::size(outputs)};
        read<Reading>(counter, examples, {of_task, of_task, of_task, of_task}, values, tangents, of_constants, of_parameters);
        return {counter.flops, counter.bytes, values.used(), tangents.used()};
    }
};

}  // namespace bilevel::objective
