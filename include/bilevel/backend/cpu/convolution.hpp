// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_algorithm.hpp>
#include <bilevel/backend/convolution_weights.hpp>
#include <bilevel/backend/cpu/centred_moments.hpp>
#include <bilevel/backend/cpu/direct_convolution.hpp>
#include <bilevel/backend/cpu/matrix_product.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/cpu/winograd.hpp>

#include <algorithm>
#include <cstddef>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolutions, each by the algorithm that was the fastest for its extents (docs/performance/convolutions.md has the measurement), or by the one that the
/// user pinned; see `convolution_kernels` in primitives.hpp. The choice depends on the extents alone, and so do the bits.
template <class Scalar> class cpu_convolution : public virtual shared_among_threads {
public:
    void conv2d(view<Scalar> y, view<const Scalar> x, const convolution_weights<Scalar>& w, convolution_geometry geometry,
                bool accumulate) {
        forward(y, terms<1>{{{x, w}}}, geometry, accumulate);
    }
    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, const convolution_weights<Scalar>& w, convolution_geometry geometry,
                              bool accumulate) {
        backward_data(dx, terms<1>{{{dy, w}}}, geometry, accumulate);
    }
    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        backward_weights(dw, terms<1>{{{x, dy}}}, geometry, accumulate);
    }

    void conv2d_moments(view<Scalar> y, view<Scalar> mean, view<Scalar> r, view<const Scalar> x, const convolution_weights<Scalar>& w,
                        convolution_geometry geometry, Scalar epsilon) {
        const terms<1> of{{{x, w}}};
        if (choose(x, y, w, geometry) == convolution_algorithm::winograd_2x2)
            return winograd_2x2_.forward(*this, y, of, false, result_moments<Scalar>{mean, r, epsilon});
        forward(y, of, geometry, false);
        moments_(*this, mean, r, y, epsilon);
    }

    void conv2d_tangent(view<Scalar> y, view<const Scalar> x_moved, const convolution_weights<Scalar>& w, view<const Scalar> x,
                        view<const Scalar> w_moved, convolution_geometry geometry) {
        forward(y, terms<2>{{{x_moved, w}, {x, w_moved}}}, geometry, false);
    }
    void conv2d_backward_data_tangent(view<Scalar> dx, view<const Scalar> dy_moved, const convolution_weights<Scalar>& w,
                                      view<const Scalar> dy, view<const Scalar> w_moved, convolution_geometry geometry) {
        backward_data(dx, terms<2>{{{dy_moved, w}, {dy, w_moved}}}, geometry, false);
    }
    void conv2d_backward_weights_tangent(view<Scalar> dw, view<const Scalar> x_moved, view<const Scalar> dy, view<const Scalar> x,
                                         view<const Scalar> dy_moved, convolution_geometry geometry) {
        backward_weights(dw, terms<2>{{{x_moved, dy}, {x, dy_moved}}}, geometry, false);
    }

    void transform_weights(view<Scalar> transformed, view<const Scalar> w, view<const Scalar> images, convolution_geometry geometry,
                           bool adjoint) {
        view<const Scalar> x = images, y = images;
        x.extents[2] = w.extents[2];
        y.extents[2] = w.extents[3];
        if (choose(x, y, w, geometry) == convolution_algorithm::winograd_2x2)
            winograd_2x2_.transform_weights(*this, transformed, w, adjoint);
    }

    /// For all convolutions that it can do; the others keep theirs.
    void pin(convolution_algorithm algorithm) { pinned_ = algorithm; }

private:
    template <std::size_t Terms> using terms = convolution_terms<Scalar, Terms>;

    // Winograd's algorithm sums the terms before it transforms them back; for the others they are as many calls.
    // What is at hand of transformed weights is of F(2×2, 3×3).
    template <std::size_t Terms> void forward(view<Scalar> y, const terms<Terms>& of, convolution_geometry geometry, bool accumulate) {
        switch (const auto how = choose(of[0].left, y, of[0].right, geometry)) {
            case convolution_algorithm::winograd_2x2:
                return winograd_2x2_.forward(*this, y, of, accumulate);
            case convolution_algorithm::winograd_4x4:
                return winograd_4x4_.forward(*this, y, without_transforms(of), accumulate);
            default:
                one_by_one(of, accumulate, [&](auto x, auto w, bool add) {
                    if (is_matrix_product(w, geometry)) {
                        product_.multiply(*this, y, x, w, of_pixels(x, y), add);
                    } else {
                        direct_.forward(*this, y, x, w, geometry, how == convolution_algorithm::direct_across_images, add);
                    }
                });
        }
    }
    template <std::size_t Terms>
    void backward_data(view<Scalar> dx, const terms<Terms>& of, convolution_geometry geometry, bool accumulate) {
        switch (const auto how = choose(dx, of[0].left, of[0].right, geometry)) {
            case convolution_algorithm::winograd_2x2:
                return winograd_2x2_.backward_data(*this, dx, of, accumulate);
            case convolution_algorithm::winograd_4x4:
                return winograd_4x4_.backward_data(*this, dx, without_transforms(of), accumulate);
            default:
                one_by_one(of, accumulate, [&](auto dy, auto w, bool add) {
                    if (is_matrix_product(w, geometry)) {
                        product_.multiply_by_transposed(*this, dx, dy, w, of_pixels(dx, dy), add);
                    } else {
                        direct_.backward_data(*this, dx, dy, w, geometry, how == convolution_algorithm::direct_across_images, add);
                    }
                });
        }
    }
    template <std::size_t Terms>
    void backward_weights(view<Scalar> dw, const terms<Terms>& of, convolution_geometry geometry, bool accumulate) {
        if (of[0].left.batch == 0) {  // no images, whose sum is zero
            for (integer t = 0; t < dw.tasks && !accumulate; ++t) std::fill_n(dw.at(t), dw.size, Scalar{0});
            return;
        }
        switch (const auto how = choose(of[0].left, of[0].right, dw, geometry)) {
            case convolution_algorithm::winograd_2x2:
            case convolution_algorithm::winograd_4x4:
                return winograd_2x2_.backward_weights(*this, dw, of, accumulate);
            default:
                one_by_one(of, accumulate, [&](auto x, auto dy, bool add) {
                    if (is_matrix_product(dw, geometry)) {
                        product_.multiply_transposed(*this, dw, x, dy, of_pixels(x, dy), add);
                    } else {
                        direct_.backward_weights(*this, dw, x, dy, geometry, how == convolution_algorithm::direct_across_images, add);
                    }
                });
        }
    }
    template <std::size_t Terms> static terms<Terms> without_transforms(terms<Terms> of) {
        for (auto& term : of) term.transformed = {};
        return of;
    }
    /// f(left, right, whether to add to what is there) for every term.
    template <std::size_t Terms, class F> static void one_by_one(const terms<Terms>& of, bool accumulate, F f) {
        for (std::size_t i = 0; i < Terms; ++i) f(of[i].left, of[i].right, accumulate || i > 0);
    }

    /// A 1 × 1 kernel is the matrix by which every pixel is multiplied.
    static bool is_matrix_product(const view<const Scalar>& w, convolution_geometry geometry) {
        return w.extents[0] == 1 && w.extents[1] == 1 && geometry.stride == 1 && geometry.padding == 0;
    }
    static typename matrix_product<Scalar>::extents of_pixels(const view<const Scalar>& x, const view<const Scalar>& y) {
        return {x.batch * x.extents[0] * x.extents[1], x.extents[2], y.extents[2]};
    }

    convolution_algorithm choose(const view<const Scalar>& x, const view<const Scalar>& y, const view<const Scalar>& w,
                                 convolution_geometry geometry) const {
        using enum convolution_algorithm;
        const integer height = y.extents[0], width = y.extents[1], channels = x.extents[2], filters = y.extents[2];
        const bool whole_vectors = winograd<Scalar, 2>::takes(channels, filters);
        const bool winograd_can = w.extents[0] == 3 && w.extents[1] == 3 && geometry.stride == 1 && geometry.padding == 1 && whole_vectors;
        if (pinned_ == winograd_4x4 && winograd_can && winograd<Scalar, 4>::pays(height, width, channels, filters)) return winograd_4x4;
        if (pinned_ == winograd_2x2 && winograd_can) return winograd_2x2;
        if (pinned_ == direct || pinned_ == direct_across_images) return pinned_;
        if (height * width <= (geometry.stride > 1 && whole_vectors ? 49 : 9)) return direct_across_images;
        if (!winograd_can) return direct;
        return winograd<Scalar, 2>::pays_for(x.batch, height, width, channels, filters) ? winograd_2x2 : direct_across_images;
    }

    convolution_algorithm pinned_ = convolution_algorithm::automatic;
    winograd<Scalar, 2> winograd_2x2_;
    winograd<Scalar, 4> winograd_4x4_;
    direct_convolution<Scalar> direct_;
    matrix_product<Scalar> product_;
    moments_of_images<Scalar> moments_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
