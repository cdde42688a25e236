// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/operation.hpp>
#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/convolution_weights.hpp>
#include <bilevel/backend/primitives.hpp>

namespace bilevel::operation {

/// What `conv2d`, or its adjoint by the images, computes of the weights alone. The tangent rules of both read it as it is; it has no tangent of its own, since
/// that of the weights is of one product alone.    // w (3,3,c,f)  images: those that the convolution, or its adjoint, will read
template <bool Adjoint, integer Stride, integer Padding> struct transform_weights {
    template <class W, class X> static constexpr auto result(W w, X) {
        using weights = typename W::shape;
        using transformed = backend::transformed_weights<typename W::scalar, weights::template extent<2>, weights::template extent<3>>;
        return like<transformed, activity::constant>(w, 1, 0);
    }
    template <class K> static void primal(K& k, auto transformed, auto w, auto images) {
        if constexpr (backend::weight_transforming_kernels<K>)
            k.transform_weights(values_of(transformed), values_of(w), values_of(images), backend::convolution_geometry{Stride, Padding},
                                Adjoint);
    }
};

/// Weights, and what `transform_weights` made of them, as one operand of a convolution; without memory the second is not at hand.
template <class W, class Transformed> struct weights_and_transform {
    using scalar = typename W::scalar;
    using shape = typename W::shape;
    static constexpr activity act = W::act;
    static constexpr bool varies = W::varies, wanted = W::wanted;
    W weights;
    Transformed transformed;
};
template <class W, class Transformed> constexpr auto values_of(const weights_and_transform<W, Transformed>& w) {
    return backend::convolution_weights<typename W::scalar>(values_of(w.weights), values_of(w.transformed));
}
template <class W, class Transformed> constexpr auto tangents_of(const weights_and_transform<W, Transformed>& w) {
    return tangents_of(w.weights);
}

}  // namespace bilevel::operation
