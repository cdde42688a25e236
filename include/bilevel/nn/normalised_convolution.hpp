// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/convolution_moments.hpp>
#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/tuple.hpp>
#include <bilevel/nn/forwarded.hpp>

#include <type_traits>

namespace bilevel::nn {

/// A convolution and the batch norm behind it: the two layers one after the other, but that the statistics of the convolution's result come with it, while it
/// is still in registers where the backend can do so. `sequential` takes it by itself where the two do not fold (see `folded_block`).
template <class Convolution, class BatchNorm> struct normalised_convolution {
    static constexpr integer parameters_of_convolution = Convolution::parameters::size();

    template <class E> static auto forward(E& e, auto x, auto p) {
        using scalar = typename E::scalar;
        constexpr backend::convolution_geometry geometry = Convolution::geometry;
        auto [w] = p.split(typename Convolution::parameters{});
        auto [y, mean, r] = e(operation::conv2d_moments<scalar, geometry.stride, geometry.padding>{scalar(BatchNorm::epsilon)}, x,
                              Convolution::template with_transform<false>(e, w, x));
        auto z = BatchNorm::forward_with(e, y, mean, r, p.from(parameters_of_convolution, 0));
        return forwarded{z.value, tuple{x, z.saved}};
    }

    static auto backward(auto& e, auto saved, auto p, auto g, auto dz) {
        auto [x, of_batch_norm] = saved;
        auto dy = BatchNorm::backward(e, of_batch_norm, p.from(parameters_of_convolution, 0), g.from(parameters_of_convolution, 0), dz);
        if constexpr (std::is_same_v<decltype(dy), nothing>) {
            return dy;
        } else {
            return Convolution::backward(e, x, p, g, dy);
        }
    }
};

}  // namespace bilevel::nn
