// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/problem/network_problem.hpp>

#include <type_traits>

namespace bilevel::explain {

/// What a solver of one's own objectives is not asked.
template <class Problem> struct networks {
    static constexpr bool value = problem::over_a_network<Problem>;
    static_assert(
        value,
        "bilevel: logits, predict and evaluate are of networks: of objectives of your own adapt(...).rows_of_tasks() are the inner solutions, "
        "and hypergradient(...).report.loss is the mean outer loss");
};

template <class Given, class Batch> concept other_than = !std::is_convertible_v<const Given&, Batch>;

/// What a solver is given for a batch, and what its batches are.
template <class Given, class Batch> struct batch {
    static_assert(
        std::is_convertible_v<const Given&, Batch>,
        "bilevel: this batch is not for this solver: its scalar is not the backend's (float data on a double backend, say), or its targets are "
        "not the loss's (labels for cross_entropy, numbers for mean_squared_error), or it is not a batch of the problem's objectives");
    static constexpr bool value = true;
};

/// Which problems, hypergradients and inner rules go together, as sentences. A policy may drop one of the routes by which x reaches F (the start of
/// the path, the inner objective, the outer objective); one that drops all of them would be silently zero, and does not compile.
template <class Problem, class Hypergradient, class Rule, class Scalar> struct combination {
    static_assert(!Hypergradient::needs_inner_level || Problem::has_inner_level,
                  "bilevel: this problem has nothing to solve inside (problem::shared_body): use hypergradient::joint");
    static_assert(!Hypergradient::needs_inner_level || Rule::moves,
                  "bilevel: this hypergradient differentiates an inner solution, but the inner rule is inner::none: "
                  "use inner::gradient_descent, or hypergradient::joint for a problem without inner level");
    static_assert(
        !Hypergradient::needs_x_in_inner || Problem::inner_depends_on_x,
        "bilevel: an implicit hypergradient sees x only through the inner objective, and here the inner objective does not depend on x, "
        "so that it would be zero: use problem::proximal (iMAML), problem::hyperparameter, or hypergradient::unrolled");
    static_assert((Hypergradient::sees_start && Problem::start_depends_on_x) ||
                      (Hypergradient::sees_inner && Problem::inner_depends_on_x) || Problem::template outer_depends_on_x<Scalar>,
                  "bilevel: this hypergradient drops every route by which x reaches the outer loss, so that it would be zero: "
                  "hypergradient::first_order and hypergradient::joint do not see a hyper-parameter inside the inner objective; "
                  "use hypergradient::unrolled or hypergradient::implicit");
    static_assert(
        !Hypergradient::needs_second_order || !Problem::has_inner_level || Problem::template has_second_order<Scalar>,
        "bilevel: this hypergradient is of second order and needs  vector hessian_vector(const auto& y, const auto& v) const  of the inner objective"
        "  - the product of its second derivative with v, as an Eigen vector of the backend's scalar (yours is missing, not const, or gives something else). Write it, wrap a generic value with bilevel::objective::differentiated, "
        "or use hypergradient::first_order");
    static constexpr bool value = true;
};

}  // namespace bilevel::explain
