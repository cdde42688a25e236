// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

namespace bilevel::explain {

/// Which problems, hypergradients and inner rules go together, as sentences. A policy may drop one of the routes by which x reaches F (the start of
/// the path, the inner objective, the outer objective); one that drops all of them would be silently zero, and does not compile.
template <class Problem, class Hypergradient, class Rule> struct combination {
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
                      (Hypergradient::sees_inner && Problem::inner_depends_on_x) || Problem::outer_depends_on_x,
                  "bilevel: this hypergradient drops every route by which x reaches the outer loss, so that it would be zero: "
                  "hypergradient::first_order and hypergradient::joint do not see a hyper-parameter inside the inner objective; "
                  "use hypergradient::unrolled or hypergradient::implicit");
    static_assert(
        !Hypergradient::needs_second_order || !Problem::has_inner_level || Problem::has_second_order,
        "bilevel: this hypergradient is of second order and needs  vector hessian_vector(const auto& y, const auto& v) const  of the inner objective"
        "  - the product of its second derivative with v. Write it, wrap a generic value with bilevel::objective::differentiated, "
        "or use hypergradient::first_order");
    static constexpr bool value = true;
};

}  // namespace bilevel::explain
