// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/core/tuple.hpp>

namespace bilevel::operation {

/// loss = mean over the batch of −log p[label],  p = softmax(z).    // z (n, ways)  loss (1)  p (n, ways)
struct softmax_cross_entropy {
    template <class Z, class Labels> static constexpr auto result(Z z, Labels) {
        using scalar = typename Z::scalar;
        return tuple<array<scalar, shape<1>, Z::act>, array<scalar, typename Z::shape, moved<Z>>>{
            like<shape<1>, Z::act>(z, 1, 0), like<typename Z::shape, moved<Z>>(z, z.batch, z.width)};
    }
    static void primal(auto& k, auto loss, auto p, auto z, auto labels) {
        k.softmax_cross_entropy(values_of(loss), values_of(p), values_of(z), values_of(labels));
    }
    static void tangent(auto& k, auto loss, auto p, auto z, auto labels) {
        k.softmax_tangent(tangents_of(p), values_of(p), tangents_of(z));
        k.cross_entropy_tangent(tangents_of(loss), values_of(p), tangents_of(z), values_of(labels));
    }
};

/// dz = (p − onehot(label)) / n.
struct softmax_cross_entropy_backward {
    template <class P, class Labels> static constexpr auto result(P p, Labels) {
        return like<typename P::shape, moved<P>>(p, p.batch, p.width);
    }
    static void primal(auto& k, auto dz, auto p, auto labels) { k.cross_entropy_backward(values_of(dz), values_of(p), values_of(labels)); }
    template <class P> static void tangent(auto& k, auto dz, P p, auto) {
        using scalar = typename P::scalar;
        k.scale(tangents_of(dz), tangents_of(p), scalar(1) / scalar(p.batch));
    }
};

/// residual = z − target, loss = mean over batch and outputs of residual².    // z, target (n, m)  loss (1)
struct squared_error {
    template <class Z, class Target> static constexpr auto result(Z z, Target) {
        using scalar = typename Z::scalar;
        return tuple<array<scalar, shape<1>, Z::act>, array<scalar, typename Z::shape, moved<Z>>>{
            like<shape<1>, Z::act>(z, 1, 0), like<typename Z::shape, moved<Z>>(z, z.batch, z.width)};
    }
    static void primal(auto& k, auto loss, auto residual, auto z, auto target) {
        k.squared_error(values_of(loss), values_of(residual), values_of(z), values_of(target));
    }
    static void tangent(auto& k, auto loss, auto residual, auto z, auto) {
        k.squared_error_tangent(tangents_of(loss), values_of(residual), tangents_of(z));
        k.scale(tangents_of(residual), tangents_of(z), 1);
    }
};

/// dz = 2 residual / (n m).
struct squared_error_backward {
    template <class R> static constexpr auto result(R r) { return like<typename R::shape, moved<R>>(r, r.batch, r.width); }
    template <class R> static void primal(auto& k, auto dz, R r) { k.scale(values_of(dz), values_of(r), factor(r)); }
    template <class R> static void tangent(auto& k, auto dz, R r) { k.scale(tangents_of(dz), tangents_of(r), factor(r)); }

private:
    template <class R> static auto factor(const R& r) {
        using scalar = typename R::scalar;
        return scalar(2) / scalar(r.per_task());
    }
};

}  // namespace bilevel::operation
