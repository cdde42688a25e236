// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>

#include <tuple>
#include <utility>

namespace bilevel::operation {

/// Batch norm with the statistics of the batch [Ioffe15]: n = (x − mean) r, r = 1/√(variance + ε), y = gain · n + shift, by channel.
/// Gives y, n, r and the mean, which nothing differentiates (it only feeds the running statistics).
template <class Scalar> struct batch_norm {
    Scalar epsilon;
    template <class X, class G, class B> static constexpr auto result(X x, G, B) {
        using channel = shape<X::shape::template extent<2>>;
        static_assert(require_shape<expected<channel>, given<typename G::shape>>::value);
        static_assert(require_shape<expected<channel>, given<typename B::shape>>::value);
        using scalar = typename X::scalar;
        return std::tuple<array<scalar, typename X::shape, joint<X, G, B>>, array<scalar, typename X::shape, moved<X>>,
                          array<scalar, channel, moved<X>>, array<scalar, channel>>{
            like<typename X::shape, joint<X, G, B>>(x, x.batch, 0), like<typename X::shape, moved<X>>(x, x.batch, 0),
            like<channel, moved<X>>(x, 1, 0), like<channel, activity::constant>(x, 1, 0)};
    }
    void primal(auto& k, auto y, auto n, auto r, auto mean, auto x, auto gain, auto shift) const {
        k.normalise(values_of(n), values_of(mean), values_of(r), values_of(x), epsilon);
        k.channel_scale(values_of(y), values_of(n), values_of(gain), false);
        k.channel_shift(values_of(y), values_of(shift), true);
    }
    template <class X, class G, class B> void tangent(auto& k, auto y, auto n, auto r, auto, X x, G gain, B shift) const {
        if constexpr (X::varies) k.normalise_tangent(tangents_of(n), tangents_of(r), tangents_of(x), values_of(n), values_of(r));
        if constexpr (X::varies) k.channel_scale(tangents_of(y), tangents_of(n), values_of(gain), false);
        if constexpr (G::varies) k.channel_scale(tangents_of(y), values_of(n), tangents_of(gain), X::varies);
        if constexpr (B::varies) k.channel_shift(tangents_of(y), tangents_of(shift), X::varies || G::varies);
    }
};

/// Batch norm with running statistics, which are constants: read only, never differentiated.
template <class Scalar> struct batch_norm_with {
    Scalar epsilon;
    template <class X, class G, class B, class M, class V> static constexpr auto result(X x, G, B, M, V) {
        static_assert(joint<X, G, B> == activity::constant,
                      "bilevel: running statistics are for evaluation: derivatives go through the statistics of the batch");
        using channel = shape<X::shape::template extent<2>>;
        using scalar = typename X::scalar;
        return std::tuple<array<scalar, typename X::shape>, array<scalar, typename X::shape>, array<scalar, channel>>{
            like<typename X::shape, activity::constant>(x, x.batch, 0), like<typename X::shape, activity::constant>(x, x.batch, 0),
            like<channel, activity::constant>(x, 1, 0)};
    }
    void primal(auto& k, auto y, auto n, auto r, auto x, auto gain, auto shift, auto mean, auto variance) const {
        k.normalise_with(values_of(n), values_of(r), values_of(x), values_of(mean), values_of(variance), epsilon);
        k.channel_scale(values_of(y), values_of(n), values_of(gain), false);
        k.channel_shift(values_of(y), values_of(shift), true);
    }
};

/// Σ over batch and positions of a, by channel: the gradient of batch norm's shift.
struct channel_sum : linear<channel_sum> {
    template <class Y> static constexpr auto result(Y dy) { return like<shape<Y::shape::template extent<2>>, moved<Y>>(dy, 1, 0); }
    static void kernel(auto& k, auto s, auto dy) { k.channel_sum(s, dy, false); }
};

/// Σ over batch and positions of a · b, by channel: the gradient of batch norm's gain.
struct channel_dot : bilinear<channel_dot> {
    template <class Y, class N> static constexpr auto result(Y dy, N) {
        return like<shape<Y::shape::template extent<2>>, moved<Y, N>>(dy, 1, 0);
    }
    static void kernel(auto& k, auto s, auto dy, auto n, bool accumulate) { k.channel_dot(s, dy, n, accumulate); }
};

/// dx = gain r (dy − Σdy / m − n Σ(dy n) / m),  m positions a channel. With n and r saved it is multilinear in (gain), (r), (dy and its two sums)
/// and n, so that its tangent is three calls of its own kernel and one correction.
struct batch_norm_backward {
    template <class G, class R, class Y, class B, class N, class D> static constexpr auto result(G, R, Y dy, B, N, D) {
        return like<typename Y::shape, moved<G, R, Y, B, N, D>>(dy, dy.batch, 0);
    }
    static void primal(auto& k, auto dx, auto gain, auto r, auto dy, auto dshift, auto n, auto dgain) {
        k.batch_norm_backward(values_of(dx), values_of(gain), values_of(r), values_of(dy), values_of(dshift), values_of(n),
                              values_of(dgain), false);
    }
    template <class G, class R, class Y, class B, class N, class D>
    static void tangent(auto& k, auto dx, G gain, R r, Y dy, B dshift, N n, D dgain) {
        static_assert(Y::varies == B::varies && (!R::varies || N::varies) && (D::varies == (Y::varies || N::varies)));
        static_assert(Y::varies || !N::varies,
                      "bilevel: behind a loss, dy moves whenever n does; otherwise the moving sum over n would be lost");
        bool accumulate = false;
        auto call = [&](auto g, auto s, auto d, auto sum, auto dot) {
            k.batch_norm_backward(tangents_of(dx), g, s, d, sum, values_of(n), dot, std::exchange(accumulate, true));
        };
        // The tangent of dgain is Σ(ḋy n + dy ṅ): it carries the moving n of the sum; the n in front of the sum is the correction below.
        if constexpr (Y::varies) call(values_of(gain), values_of(r), tangents_of(dy), tangents_of(dshift), tangents_of(dgain));
        if constexpr (G::varies) call(tangents_of(gain), values_of(r), values_of(dy), values_of(dshift), values_of(dgain));
        if constexpr (R::varies) call(values_of(gain), tangents_of(r), values_of(dy), values_of(dshift), values_of(dgain));
        if constexpr (N::varies)
            k.batch_norm_backward_moved(tangents_of(dx), values_of(gain), values_of(r), tangents_of(n), values_of(dgain));
    }
};

}  // namespace bilevel::operation
