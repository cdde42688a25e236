// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/hypergradient/implicit.hpp>
#include <bilevel/hypergradient/joint.hpp>
#include <bilevel/hypergradient/unrolled.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/inner/none.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/episode.hpp>
#include <bilevel/problem/head_episode.hpp>
#include <bilevel/problem/proximal.hpp>
#include <bilevel/problem/shared_body.hpp>
#include <bilevel/solver.hpp>

namespace bilevel {

// The published algorithms: combinations of policies by their names, and what makes them. Each function throws `argument_error` for settings that nothing can be
// computed with; the solver keeps a reference to the backend. g_i and f_i are the mean losses on the support and the query set of task i, θ a whole network.

/// Second-order MAML [Finn17]: the exact gradient through the inner steps of the whole network.
template <class Backend, class Task>
using maml_solver = solver<Backend, problem::episode<Task>, hypergradient::unrolled, inner::gradient_descent, outer::adam>;
/// min over θ of mean_i f_i(y_K),  y_0 = θ,  y_{k+1} = y_k − α ∇g_i(y_k).
template <class Backend, class Task>
auto maml(Backend& backend, Task task, const typename maml_solver<Backend, Task>::settings_type& settings = {}) {
    return maml_solver<Backend, Task>(backend, {{task}}, settings);
}

/// First-order MAML [Finn17, §5.2]: the same without Hessians.
template <class Backend, class Task>
using fomaml_solver = solver<Backend, problem::episode<Task>, hypergradient::first_order, inner::gradient_descent, outer::adam>;
/// The problem of `maml`, whose hypergradient is taken for mean_i ∇f_i(y_K).
template <class Backend, class Task>
auto fomaml(Backend& backend, Task task, const typename fomaml_solver<Backend, Task>::settings_type& settings = {}) {
    return fomaml_solver<Backend, Task>(backend, {{task}}, settings);
}

/// ANIL [Raghu20]: MAML that adapts the head alone; the body runs once.
template <class Backend, class Task>
using anil_solver =
    solver<Backend, problem::episode<Task, problem::adapts::head>, hypergradient::unrolled, inner::gradient_descent, outer::adam>;
/// min over θ = (body, head) of mean_i f_i(body, y_K),  y_0 = head,  y_{k+1} = y_k − α ∇_y g_i(body, y_k), by its exact gradient.
template <class Backend, class Task>
auto anil(Backend& backend, Task task, const typename anil_solver<Backend, Task>::settings_type& settings = {}) {
    return anil_solver<Backend, Task>(backend, {{task}}, settings);
}

/// iMAML [Rajeswaran19]: the inner solution is pulled to x with weight λ, and its derivative is implicit, by conjugate gradients.
template <class Backend, class Task>
using imaml_solver =
    solver<Backend, problem::proximal<problem::episode<Task>>, hypergradient::implicit_cg, inner::gradient_descent, outer::adam>;
/// min over θ of mean_i f_i(y_i*),  y_i* = argmin_y g_i(y) + λ/2 ‖y − θ‖²,  with λ = proximal_weight > 0.
template <class Backend, class Task>
auto imaml(Backend& backend, Task task, double proximal_weight, const typename imaml_solver<Backend, Task>::settings_type& settings = {}) {
    problem::proximal<problem::episode<Task>> problem;
    problem.task = task;
    problem.weight = proximal_weight;
    return imaml_solver<Backend, Task>(backend, problem, settings);
}

/// Multi-task learning [Wang21]: one body for all, a class-wise head in training, a logistic regression on the frozen features of an unseen task.
template <class Backend, class Task>
using mtl_solver = solver<Backend, problem::shared_body<Task>, hypergradient::joint, inner::none, outer::adam>;
/// min over (body, head) of the mean cross-entropy of the query examples over the classes of their episode, each with its own row of the head, of which there
/// are `training_classes`.
template <class Backend, class Task>
auto mtl(Backend& backend, Task task, integer training_classes, const typename mtl_solver<Backend, Task>::settings_type& settings = {}) {
    return mtl_solver<Backend, Task>(backend, {{task}, training_classes}, settings);
}

}  // namespace bilevel
