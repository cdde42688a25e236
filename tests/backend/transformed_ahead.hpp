// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/convolution_weights.hpp>
#include <bilevel/core/array.hpp>

#include <cstddef>
#include <limits>
#include <vector>

namespace conformance {

using bilevel::integer;
using bilevel::view;

/// Weights, with their transform where the kernels have one; where they compute nothing ahead, it stays NaN and nobody may read it.
template <class Kernels> class transformed_ahead {
public:
    using scalar = typename Kernels::scalar;
    transformed_ahead(Kernels& kernels, view<const scalar> w, view<const scalar> images, bilevel::backend::convolution_geometry geometry,
                      bool adjoint)
        : weights_(w), size_(16 * (w.extents[2] * w.extents[3] + bilevel::backend::gap_between_matrices<scalar>)),
          memory_(std::size_t(w.tasks * size_), std::numeric_limits<scalar>::quiet_NaN()) {
        const view<scalar> transformed{memory_.data(), size_, w.tasks, 1, size_, {16, size_ / 16}};
        kernels.transform_weights(transformed, w, images, geometry, adjoint);
        weights_.transformed = transformed;
    }
    operator const bilevel::backend::convolution_weights<scalar>&() const { return weights_; }

private:
    bilevel::backend::convolution_weights<scalar> weights_;
    integer size_;
    std::vector<scalar> memory_;
};
template <class Kernels, class W, class X>
transformed_ahead(Kernels&, W, X, bilevel::backend::convolution_geometry, bool) -> transformed_ahead<Kernels>;

}  // namespace conformance
