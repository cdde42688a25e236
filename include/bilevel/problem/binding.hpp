// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>
#include <bilevel/core/memory.hpp>
#include <bilevel/core/rows.hpp>

// How a policy sees a problem on a block of tasks, whatever is inside (a network, a user's own objectives): products only, never a matrix.
// A binding has, for vectors y (inner) and x (outer), one row a task:
//
//     inner_size(), outer_size(), tasks(), slots()
//     bytes_of_slot(problem, extents)              (static) what one linearization keeps, for as many tasks as the extents say
//     bind(kernels, batch, first, x, statistics)   the block begins at task `first` of the batch; x is shared;
//                                                  batch norm records the outer pass in statistics, if any
//     start(y)                                     y ← y₀(x)
//     start_transposed(v, dx)                      dx += (∂y₀/∂x)ᵀ v
//     gradient(y, g) -> losses                     g ← ∇_y g(x, y), and the inner loss of each task, padded(1) apart
//     linearize(slot, y, g) -> losses              the same, and keeps in `slot` what products at y need; y stays alive
//     along(slot, v, h)                            h ← ∇²_yy g · v
//     along(slot, v, h, scale, dx)                 the same, and dx += scale · ∇ₓ⟨∇_y g(x, y), v⟩
//     mixed(slot, v, h, scale, dx)                 dx += scale · ∇ₓ⟨∇_y g(x, y), v⟩ alone; h is scratch
//     outer(y, f_y, dx, outcomes)                  f_y ← ∇_y f(x, y), dx += ∇ₓf(x, y); loss and accuracy of each task
//     finish(dx)                                   adds to dx what was accumulated on the way (ANIL: the body, backward once)
//
// and says in its problem by which of the three routes x reaches F: start_depends_on_x, inner_depends_on_x, outer_depends_on_x<Scalar>.

namespace bilevel::problem {

/// What a policy will ask of a binding; its memory is sized by that.
struct requirements {
    integer slots = 1;  // linearizations kept at once
    bool second_order = false;  // products with the Hessian
    bool outer = true;  // the outer objective; adaptation alone does not need it
    memory* arrays = &host_memory();  // where the binding's arrays lie: the array_memory of its kernels
};

}  // namespace bilevel::problem
