// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>

namespace bilevel::operation {

/// What comes out moves, or is wanted, where something that goes in does.
template <class... Arrays> inline constexpr activity joint = (Arrays::act | ... | activity::constant);

/// The activity of an adjoint: it moves where something that goes in moves; its own adjoint nobody reads.
template <class... Arrays> inline constexpr activity moved = joint<Arrays...> & activity::tangent;

/// A handle without memory, with the scalar and the tasks of another one.
template <class Shape, activity Activity, class Like> constexpr auto like(const Like& x, integer batch, integer width) {
    return array<typename Like::scalar, Shape, Activity>{x.tasks, batch, width};
}

/// Whether a bilinear primitive knows a kernel of these for its whole tangent rule.
template <class Primitive, class Kernels>
concept has_tangent_kernel = requires(Kernels& k, view<typename Kernels::scalar> out, view<const typename Kernels::scalar> in) {
    Primitive::tangent_kernel(k, out, in, in, in, in);
};

/// Tangent rule of  out = kernel(a, b), linear in a and in b:  ȯut = kernel(ȧ, b) + kernel(a, ḃ).
template <class Primitive> struct bilinear {
    void primal(auto& k, auto out, auto a, auto b) const { self().kernel(k, values_of(out), values_of(a), values_of(b), false); }
    template <class K, class A, class B> void tangent(K& k, auto out, A a, B b) const {
        if constexpr (A::varies && B::varies && has_tangent_kernel<Primitive, K>) {
            self().tangent_kernel(k, tangents_of(out), tangents_of(a), values_of(b), values_of(a), tangents_of(b));
        } else {
            if constexpr (A::varies) self().kernel(k, tangents_of(out), tangents_of(a), values_of(b), false);
            if constexpr (B::varies) self().kernel(k, tangents_of(out), values_of(a), tangents_of(b), A::varies);
        }
    }

private:
    const Primitive& self() const { return static_cast<const Primitive&>(*this); }
};

/// Tangent rule of  out = kernel(a, c…), linear in a, with constants c (arg-max positions, masks, labels):  ȯut = kernel(ȧ, c…).
template <class Primitive> struct linear {
    void primal(auto& k, auto out, auto a, auto... c) const { self().kernel(k, values_of(out), values_of(a), values_of(c)...); }
    void tangent(auto& k, auto out, auto a, auto... c) const { self().kernel(k, tangents_of(out), tangents_of(a), values_of(c)...); }

private:
    const Primitive& self() const { return static_cast<const Primitive&>(*this); }
};

}  // namespace bilevel::operation
