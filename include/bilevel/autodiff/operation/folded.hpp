// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/normalisation.hpp>
#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/folded.hpp>
#include <bilevel/core/tuple.hpp>

#include <cstdint>
#include <type_traits>

// Template parameters have names here: nvcc 13 takes no more than ten 'auto'.
namespace bilevel::operation {

namespace detail {
template <class W> auto folded_values(const W& w, const auto& gain, const auto& mean, const auto& r, const auto& v) {
    return backend::folded<std::remove_const_t<typename W::scalar>>{values_of(w), values_of(gain), values_of(mean), values_of(r),
                                                                    values_of(v)};
}
template <class W> auto folded_tangents(const W& w, const auto& gain, const auto& mean, const auto& r, const auto& v) {
    return backend::folded<std::remove_const_t<typename W::scalar>>{tangents_or_none(w), tangents_or_none(gain), tangents_or_none(mean),
                                                                    tangents_or_none(r), tangents_or_none(v)};
}
}  // namespace detail

/// Mean and covariance of the patches that a convolution with these kernels (kh,kw,c) reads, of images that are constants.
template <class Kernel, integer Stride, integer Padding> struct patch_moments {
    static constexpr integer terms = Kernel::count(0);
    template <class X> static constexpr auto result(X x) {
        static_assert(X::act == activity::constant, "bilevel: the moments of patches are of images that are constants");
        using scalar = std::remove_const_t<typename X::scalar>;
        return tuple<array<scalar, Kernel>, array<scalar, shape<terms, terms>>>{{x.tasks, 1, 0}, {x.tasks, 1, 0}};
    }
    static void primal(auto& k, auto mean, auto covariance, auto x) {
        k.patch_moments(values_of(mean), values_of(covariance), values_of(x), backend::convolution_geometry{Stride, Padding});
    }
};

/// Batch norm folded into the weights of the convolution before it: v = C w, mean = wᵀp̄, r = 1/√(Σ w v + ε), weights = w gain r, bias = shift − gain r mean.
/// Gives weights, bias, mean, r and v.
template <class Scalar> struct fold_batch_norm {
    Scalar epsilon;
    template <class W, class G, class B, class M, class C> static constexpr auto result(W w, G, B, M, C) {
        static_assert(W::act == G::act && W::act == B::act, "bilevel: the parameters of a block move together");
        using scalar = std::remove_const_t<typename W::scalar>;
        using weights = typename W::shape;
        using filters = typename G::shape;
        constexpr activity act = W::act, statistic = moved<W>;
        const integer tasks = w.tasks;
        return tuple<array<scalar, weights, act>, array<scalar, filters, act>, array<scalar, filters, statistic>,
                     array<scalar, filters, statistic>, array<scalar, weights, statistic>>{
            {tasks, 1, 0}, {tasks, 1, 0}, {tasks, 1, 0}, {tasks, 1, 0}, {tasks, 1, 0}};
    }
    template <class K, class F, class S, class M, class R, class V, class W, class G, class B, class P, class C>
    void primal(K& k, F weights, S bias, M mean, R r, V v, W w, G gain, B shift, P patch_mean, C covariance) const {
        k.fold_batch_norm(values_of(weights), values_of(bias), values_of(mean), values_of(r), values_of(v), values_of(w), values_of(gain),
                          values_of(shift), values_of(patch_mean), values_of(covariance), epsilon);
    }
    template <class K, class F, class S, class M, class R, class V, class W, class G, class B, class P, class C>
    void tangent(K& k, F weights, S bias, M mean, R r, V v, W w, G gain, B shift, P patch_mean, C covariance) const {
        k.fold_batch_norm_tangent(tangents_of(weights), tangents_of(bias), tangents_of(mean), tangents_of(r), tangents_of(v),
                                  detail::folded_values(w, gain, mean, r, v), tangents_of(w), tangents_of(gain), tangents_of(shift),
                                  values_of(patch_mean), values_of(covariance));
    }
};

/// The gradients of w, gain and shift, of those of the weights and the bias.
struct fold_batch_norm_backward {
    template <class D, class E, class W, class G, class M, class R, class V, class P>
    static constexpr auto result(D d, E, W, G, M, R, V, P) {
        constexpr activity act = moved<D, E, W>;
        using filters = typename G::shape;
        return tuple{like<typename W::shape, act>(d, 1, 0), like<filters, act>(d, 1, 0), like<filters, moved<E>>(d, 1, 0)};
    }
    template <class K, class Dw, class Dg, class Ds, class D, class E, class W, class G, class M, class R, class V, class P>
    static void primal(K& k, Dw dw, Dg dgain, Ds dshift, D dweights, E dbias, W w, G gain, M mean, R r, V v, P patch_mean) {
        k.fold_batch_norm_backward(values_of(dw), values_of(dgain), values_of(dshift), values_of(dweights), values_of(dbias),
                                   detail::folded_values(w, gain, mean, r, v), values_of(patch_mean));
    }
    template <class K, class Dw, class Dg, class Ds, class D, class E, class W, class G, class M, class R, class V, class P>
    static void tangent(K& k, Dw dw, Dg dgain, Ds dshift, D dweights, E dbias, W w, G gain, M mean, R r, V v, P patch_mean) {
        static_assert(D::varies, "bilevel: behind a loss, dweights moves whenever w does");
        k.fold_batch_norm_backward_tangent(tangents_of(dw), tangents_of(dgain), tangents_of(dshift), values_of(dweights), values_of(dbias),
                                           tangents_of(dweights), tangents_of(dbias), detail::folded_values(w, gain, mean, r, v),
                                           detail::folded_tangents(w, gain, mean, r, v), values_of(patch_mean));
    }
};

/// y = activation(conv2d(x, weights) + bias), pooled as `batch_norm` is, of images that are constants. Gives y and the positions of the maxima.
template <class Scalar, integer Stride, integer Padding, bool Pooled> struct conv2d_activation {
    static constexpr backend::convolution_geometry geometry{Stride, Padding};
    Scalar slope;
    template <class X, class W, class B> static constexpr auto result(X x, W, B) {
        static_assert(X::act == activity::constant, "bilevel: conv2d_activation reads images that are constants");
        using image = typename X::shape;
        using weights = typename W::shape;
        using convolved =
            shape<geometry.output_extent(image::template extent<0>, weights::template extent<0>),
                  geometry.output_extent(image::template extent<1>, weights::template extent<1>), weights::template extent<3>>;
        using shapes = detail::normalised_shapes<convolved, Pooled>;
        using scalar = std::remove_const_t<typename X::scalar>;
        return tuple<array<scalar, typename shapes::result, joint<W, B>>, array<std::uint8_t, typename shapes::positions>>{
            {x.tasks, x.batch, 0}, {x.tasks, x.batch, 0}};
    }
    void primal(auto& k, auto y, auto argmax, auto x, auto weights, auto bias) const {
        k.conv2d_activation(values_of(y), values_of(argmax), values_of(x), values_of(weights), values_of(bias), geometry,
                            backend::activation<Scalar>{slope});
    }
    void tangent(auto& k, auto y, auto argmax, auto x, auto weights, auto bias) const {
        k.conv2d_activation_tangent(tangents_of(y), values_of(y), values_of(argmax), values_of(x), tangents_of(weights), tangents_of(bias),
                                    geometry, backend::activation<Scalar>{slope});
    }
};

/// Its adjoint by weights and bias.
template <class Scalar, integer Stride, integer Padding> struct conv2d_activation_backward {
    Scalar slope;
    template <class D, class Y, class A, class X, class W, class B> static constexpr auto result(D dy, Y, A, X, W, B) {
        return tuple{like<typename W::shape, moved<D>>(dy, 1, 0), like<typename B::shape, moved<D>>(dy, 1, 0)};
    }
    void primal(auto& k, auto dweights, auto dbias, auto dy, auto y, auto argmax, auto x, auto, auto) const {
        run(k, values_of(dweights), values_of(dbias), values_of(dy), y, argmax, x);
    }
    void tangent(auto& k, auto dweights, auto dbias, auto dy, auto y, auto argmax, auto x, auto, auto) const {
        run(k, tangents_of(dweights), tangents_of(dbias), tangents_of(dy), y, argmax, x);
    }

private:
    void run(auto& k, auto dweights, auto dbias, auto dy, auto y, auto argmax, auto x) const {
        k.conv2d_activation_backward(dweights, dbias, dy, values_of(y), values_of(argmax), values_of(x),
                                     backend::convolution_geometry{Stride, Padding}, backend::activation<Scalar>{slope});
    }
};

}  // namespace bilevel::operation
