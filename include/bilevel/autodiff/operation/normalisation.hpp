// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/tuple.hpp>

#include <cstdint>
#include <type_traits>

// Template parameters have names here: nvcc 13 takes no more than ten 'auto'.
namespace bilevel::operation {

namespace detail {
/// The result of batch norm over images, pooled or not, and the positions of the maxima: an array without elements where nothing is pooled.
template <class Image, bool Pooled> struct normalised_shapes {
    using result = Image;
    using positions = shape<dynamic>;
};
template <class Image> struct normalised_shapes<Image, true> {
    using result = shape<Image::template extent<0> / 2, Image::template extent<1> / 2, Image::template extent<2>>;
    using positions = result;
};

/// The tangents of an array; of one that does not move, a plane without elements.
template <class Array> auto tangents_or_none(const Array& a) {
    using plane = view<const std::remove_const_t<typename Array::scalar>>;
    if constexpr (Array::varies) {
        return plane(tangents_of(a));
    } else {
        return plane{};
    }
}
template <class X> auto values(const X& x, const auto& mean, const auto& r, const auto& gain, const auto& shift) {
    return backend::normalised<std::remove_const_t<typename X::scalar>>{values_of(x), values_of(mean), values_of(r), values_of(gain),
                                                                        values_of(shift)};
}
template <class X> auto tangents(const X& x, const auto& mean, const auto& r, const auto& gain, const auto& shift) {
    return backend::normalised<std::remove_const_t<typename X::scalar>>{tangents_or_none(x), tangents_or_none(mean), tangents_or_none(r),
                                                                        tangents_or_none(gain), tangents_or_none(shift)};
}
}  // namespace detail

/// The statistics of a batch by channel: mean, and r = 1/√(variance + ε).
template <class Scalar> struct moments {
    Scalar epsilon;
    template <class X> static constexpr auto result(X x) {
        using channel = shape<X::shape::template extent<2>>;
        using statistic = array<typename X::scalar, channel, moved<X>>;
        return tuple<statistic, statistic>{like<channel, moved<X>>(x, 1, 0), like<channel, moved<X>>(x, 1, 0)};
    }
    template <class K, class M, class R, class X> void primal(K& k, M mean, R r, X x) const {
        k.moments(values_of(mean), values_of(r), values_of(x), epsilon);
    }
    template <class K, class M, class R, class X> void tangent(K& k, M mean, R r, X x) const {
        k.moments_tangent(tangents_of(mean), tangents_of(r), tangents_of(x),
                          backend::normalised<Scalar>{values_of(x), values_of(mean), values_of(r), {}, {}});
    }
};

/// Batch norm with the statistics of the batch [Ioffe15] and what follows it: n = (x − mean) r, z = gain · n + shift, by channel, and y = z where z > 0, else
/// slope · z; pooled, of the largest z of each 2 × 2 window. Gives y and the positions of the maxima.
template <class Scalar, bool Pooled> struct batch_norm {
    Scalar slope;
    template <class X, class M, class R, class G, class B> static constexpr auto result(X x, M, R, G, B) {
        using channel = shape<X::shape::template extent<2>>;
        static_assert(require_shape<expected<channel>, given<typename G::shape>>::value);
        static_assert(require_shape<expected<channel>, given<typename B::shape>>::value);
        using scalar = typename X::scalar;
        using shapes = detail::normalised_shapes<typename X::shape, Pooled>;
        using y = array<scalar, typename shapes::result, joint<X, G, B>>;
        using positions = array<std::uint8_t, typename shapes::positions>;
        return tuple<y, positions>{like<typename shapes::result, joint<X, G, B>>(x, x.batch, 0), {x.tasks, x.batch, 0}};
    }
    template <class K, class Y, class A, class X, class M, class R, class G, class B>
    void primal(K& k, Y y, A argmax, X x, M mean, R r, G gain, B shift) const {
        k.batch_norm(values_of(y), values_of(argmax), detail::values(x, mean, r, gain, shift), backend::activation<Scalar>{slope});
    }
    template <class K, class Y, class A, class X, class M, class R, class G, class B>
    void tangent(K& k, Y y, A argmax, X x, M mean, R r, G gain, B shift) const {
        k.batch_norm_tangent(tangents_of(y), values_of(y), values_of(argmax), detail::values(x, mean, r, gain, shift),
                             detail::tangents(x, mean, r, gain, shift), backend::activation<Scalar>{slope});
    }
};

/// The same with running statistics, which are constants: read only, never differentiated. Gives y, the positions of the maxima, and r.
template <class Scalar, bool Pooled> struct batch_norm_with {
    Scalar epsilon, slope;
    template <class X, class G, class B, class M, class V> static constexpr auto result(X x, G, B, M, V) {
        static_assert(joint<X, G, B> == activity::constant,
                      "bilevel: running statistics are for evaluation: derivatives go through the statistics of the batch");
        using channel = shape<X::shape::template extent<2>>;
        using scalar = typename X::scalar;
        using shapes = detail::normalised_shapes<typename X::shape, Pooled>;
        return tuple<array<scalar, typename shapes::result>, array<std::uint8_t, typename shapes::positions>, array<scalar, channel>>{
            like<typename shapes::result, activity::constant>(x, x.batch, 0),
            {x.tasks, x.batch, 0},
            like<channel, activity::constant>(x, 1, 0)};
    }
    template <class K, class Y, class A, class R, class X, class G, class B, class M, class V>
    void primal(K& k, Y y, A argmax, R r, X x, G gain, B shift, M mean, V variance) const {
        k.inverse_deviation(values_of(r), values_of(variance), epsilon);
        k.batch_norm(values_of(y), values_of(argmax), detail::values(x, mean, r, gain, shift), backend::activation<Scalar>{slope});
    }
};

/// The gradients of gain and shift: dgain = Σ dz n, dshift = Σ dz, where dz is the adjoint of z: dy times the slope where y comes from, else zero.
template <class Scalar> struct batch_norm_sums {
    Scalar slope;
    template <class D, class Y, class A, class X, class M, class R, class G, class B>
    static constexpr auto result(D dy, Y, A, X, M, R, G gain, B) {
        using channel = typename G::shape;
        using scalar = typename D::scalar;
        return tuple<array<scalar, channel, moved<D, X>>, array<scalar, channel, moved<D>>>{like<channel, moved<D, X>>(dy, gain.batch, 0),
                                                                                            like<channel, moved<D>>(dy, gain.batch, 0)};
    }
    template <class K, class S, class T, class D, class Y, class A, class X, class M, class R, class G, class B>
    void primal(K& k, S dgain, T dshift, D dy, Y y, A argmax, X x, M mean, R r, G gain, B shift) const {
        k.batch_norm_sums(values_of(dgain), values_of(dshift), values_of(dy), values_of(y), values_of(argmax),
                          detail::values(x, mean, r, gain, shift), backend::activation<Scalar>{slope});
    }
    template <class K, class S, class T, class D, class Y, class A, class X, class M, class R, class G, class B>
    void tangent(K& k, S dgain, T dshift, D dy, Y y, A argmax, X x, M mean, R r, G gain, B shift) const {
        static_assert(D::varies, "bilevel: behind a loss, dy moves whenever x does");
        k.batch_norm_sums_tangent(tangents_of(dgain), tangents_of(dshift), values_of(dy), tangents_of(dy), values_of(y), values_of(argmax),
                                  detail::values(x, mean, r, gain, shift), detail::tangents(x, mean, r, gain, shift),
                                  backend::activation<Scalar>{slope});
    }
};

/// dx = gain r (dz − dshift/m − n dgain/m),  m positions a channel.
template <class Scalar> struct batch_norm_backward {
    Scalar slope;
    template <class S, class T, class D, class Y, class A, class X, class M, class R, class G, class B>
    static constexpr auto result(S, T, D dy, Y, A, X, M, R, G, B) {
        return like<typename X::shape, moved<S, T, D, X, G>>(dy, dy.batch, 0);
    }
    template <class K, class Dx, class S, class T, class D, class Y, class A, class X, class M, class R, class G, class B>
    void primal(K& k, Dx dx, S dgain, T dshift, D dy, Y y, A argmax, X x, M mean, R r, G gain, B shift) const {
        k.batch_norm_backward(values_of(dx), values_of(dgain), values_of(dshift), values_of(dy), values_of(y), values_of(argmax),
                              detail::values(x, mean, r, gain, shift), backend::activation<Scalar>{slope});
    }
    template <class K, class Dx, class S, class T, class D, class Y, class A, class X, class M, class R, class G, class B>
    void tangent(K& k, Dx dx, S dgain, T dshift, D dy, Y y, A argmax, X x, M mean, R r, G gain, B shift) const {
        static_assert(D::varies, "bilevel: behind a loss, dy moves whenever x or the gain does");
        k.batch_norm_backward_tangent(tangents_of(dx), values_of(dgain), values_of(dshift), tangents_of(dgain), tangents_of(dshift),
                                      values_of(dy), tangents_of(dy), values_of(y), values_of(argmax),
                                      detail::values(x, mean, r, gain, shift), detail::tangents(x, mean, r, gain, shift),
                                      backend::activation<Scalar>{slope});
    }
};

}  // namespace bilevel::operation
