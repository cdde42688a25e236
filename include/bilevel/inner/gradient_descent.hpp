// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/positive_in.hpp>
#include <bilevel/core/rows.hpp>

#include <string>

namespace bilevel::inner {

/// K steps of gradient descent:  y_{k+1} = y_k − α ∇_y g(x, y_k).
/// Its transposed derivative, which an unrolled hypergradient walks backwards:  v ← v − α ∇²_yy g(x, y_k) v.
struct gradient_descent {
    static constexpr bool moves = true;
    integer steps = 1;
    double step_size = 0.01;

    template <class Scalar = double> void check() const {
        if (steps < 0) throw argument_error("inner: steps is " + std::to_string(steps) + ", expected 0 or more");
        if (!positive_in<Scalar>(step_size))
            throw argument_error("inner: step_size is " + std::to_string(step_size) +
                                 ", expected a positive number of the backend's scalar");
    }
    /// next ← y − α g
    template <class Kernels, class Scalar = typename Kernels::scalar>
    void advance(Kernels& kernels, rows<Scalar> next, rows<const Scalar> y, rows<const Scalar> g) const {
        if (next.data != y.data) kernels.copy(next, y);
        kernels.add_scaled(next, Scalar(-step_size), g);
    }
    /// v ← v − α h,  h = ∇²g v
    template <class Kernels, class Scalar = typename Kernels::scalar>
    void transpose(Kernels& kernels, rows<Scalar> v, rows<const Scalar> h) const {
        kernels.add_scaled(v, Scalar(-step_size), h);
    }
    /// The factor of the mixed product of one step: dx += −α ∇ₓ⟨∇_y g, v⟩.
    double mixed_scale() const { return -step_size; }
};

}  // namespace bilevel::inner
