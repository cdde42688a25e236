// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cuda/arithmetic.hpp>
#include <bilevel/backend/cuda/convolution_operands.hpp>
#include <bilevel/backend/cuda/folded_operands.hpp>
#include <bilevel/backend/cuda/lane_tile.hpp>
#include <bilevel/backend/cuda/tensor_tile.hpp>
#include <bilevel/backend/cuda/tile_product.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/error.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolutions, matrix products and a folded first block by `tile_product`, all tasks at once, with weights of each task or shared ones; see
/// `convolution_kernels`, `matrix_kernels` and `folded_kernels` in primitives.hpp. The folded block, whose statistics are products too, stays in the scalar's own
/// arithmetic. Kernels offers launcher() and the other halves of the folded kernels, of thrust, tiles(), which runs a product, tiles().run(product, tasks), and
/// arithmetic_of_products(), which matters to floats alone. A sum of many terms in few tiles is split, by the extents alone, and its parts are added in order.
template <class Kernels, class Scalar> struct tile_products {
    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        require_indices(y, x, w);
        multiply(on_device::forward_operands<Scalar>{{x, y, w, geometry}, x, w, {y, accumulate}}, &on_device::forward_operands<Scalar>::y);
    }
    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        require_indices(dx, dy, w);
        multiply(on_device::data_operands<Scalar>{{dx, dy, w, geometry}, dy, w, {dx, accumulate}}, &on_device::data_operands<Scalar>::dx);
    }
    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        require_indices(dw, x, dy);
        multiply(on_device::weights_operands<Scalar>{{x, dy, dw, geometry}, x, dy, {dw, accumulate}},
                 &on_device::weights_operands<Scalar>::dw);
    }

    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        product<false, false>(y, x, w, x.batch, y.size, x.size, accumulate);
    }
    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        product<false, true>(dx, dy, w, dy.batch, dx.size, dy.size, accumulate);
    }
    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        product<true, false>(dw, x, dy, x.size, dy.size, x.batch, accumulate);
    }

    void patch_moments(view<Scalar> mean, view<Scalar> covariance, view<const Scalar> x, convolution_geometry geometry) {
        kernels().patch_means(mean, x, geometry);
        const integer height = geometry.output_extent(x.extents[0], mean.extents[0]),
                      width = geometry.output_extent(x.extents[1], mean.extents[1]), terms = mean.size, count = x.batch * height * width;
        const view<const Scalar> positions{nullptr, 0, x.tasks, x.batch, height * width * terms, {height, width, terms}};
        require_indices(x, {nullptr, 0, x.tasks, x.batch, height * width, {}}, covariance);
        multiply_by_lanes(on_device::covariance_operands<Scalar>{{x, positions, mean, geometry}, x, mean, {covariance}},
                          &on_device::covariance_operands<Scalar>::covariance);
        kernels().launcher().for_each_element(covariance.tasks, covariance.size, [=] BILEVEL_DEVICE(integer t, integer i) {
            covariance.at(t)[i] = covariance.at(t)[i] / Scalar(count);
        });
    }
    void conv2d_activation(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x, view<const Scalar> weights,
                           view<const Scalar> bias, convolution_geometry geometry, activation<Scalar> follows) {
        using result = on_device::activated_maximum<Scalar>;
        run_in_fours(
            on_device::activated_operands<Scalar, result>{
                windows_of(x, y, weights, geometry, argmax.size > 0), x, weights, {y, argmax, bias, follows.slope}},
            y.tasks);
    }
    void conv2d_activation_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, view<const Scalar> x,
                                   view<const Scalar> weights_moved, view<const Scalar> bias_moved, convolution_geometry geometry,
                                   activation<Scalar> follows) {
        using result = on_device::activated_tangent<Scalar>;
        run_in_fours(
            on_device::activated_operands<Scalar, result>{
                windows_of(x, dy, weights_moved, geometry, argmax.size > 0), x, weights_moved, {dy, {y, argmax, follows}, bias_moved}},
            dy.tasks);
    }
    void conv2d_activation_backward(view<Scalar> dweights, view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y,
                                    view<const std::uint8_t> argmax, view<const Scalar> x, convolution_geometry geometry,
                                    activation<Scalar> follows) {
        using operands = on_device::activated_backward_operands<Scalar>;
        multiply_by_lanes(operands{windows_of(x, dy, dweights, geometry, argmax.size > 0), x, dy, {y, argmax, follows}, {dweights}},
                          &operands::dweights);
        kernels().activation_backward_bias(dbias, dy, y, argmax, follows);
    }

private:
    Kernels& kernels() { return static_cast<Kernels&>(*this); }

    static on_device::windows windows_of(const view<const Scalar>& x, const view<const Scalar>& y, const view<const Scalar>& weights,
                                         convolution_geometry geometry, bool pooled) {
        require_indices(x, y, weights);
        if (const integer patches = (pooled ? 4 : 1) * y.batch * y.extents[0] * y.extents[1]; patches > std::numeric_limits<int>::max())
            throw argument_error("backend::cuda: a convolution of " + std::to_string(patches) + " patches a task: expected less than 2^31");
        return {{x, y, weights, geometry}, pooled};
    }
    template <bool LeftIsTransposed, bool RightIsTransposed>
    void product(view<Scalar> c, view<const Scalar> a, view<const Scalar> b, integer rows, integer columns, integer terms,
                 bool accumulate) {
        require_indices(c, a, b);
        using operands = on_device::matrix_operands<Scalar, LeftIsTransposed, RightIsTransposed>;
        multiply(operands{a, b, {c, accumulate}, static_cast<int>(rows), static_cast<int>(columns), static_cast<int>(terms)}, &operands::c);
    }

    /// The operands count the elements of a task's arrays in 32 bits.
    static void require_indices(const view<const Scalar>& a, const view<const Scalar>& b, const view<const Scalar>& c) {
        for (const view<const Scalar>* const one : {&a, &b, &c})
            if (const integer elements = one->batch * one->size; elements > std::numeric_limits<int>::max())
                throw argument_error("backend::cuda: an array of a product has " + std::to_string(elements) +
                                     " elements a task: expected less than 2^31");
    }

    // Few configurations: wide results, narrow ones, and small ones, of which a large tile would waste most.
    template <class Operands> void multiply(Operands of, on_device::product_result<Scalar> Operands::*result) {
        if constexpr (std::is_same_v<Scalar, float>) {
            if (const arithmetic by = kernels().arithmetic_of_products(); by != arithmetic::fp32) {
                const bool three = by == arithmetic::three_tf32;
                if (of.rows <= 64) return multiply(tensor_tile<32, 64, 16, 32>{three}, of, result);
                if (of.columns <= 32) return multiply(tensor_tile<128, 32, 16, 32>{three}, of, result);
                return multiply(tensor_tile<128, 64, 32, 32>{three}, of, result);
            }
        }
        multiply_by_lanes(of, result);
    }
    template <class Operands> void multiply_by_lanes(Operands of, on_device::product_result<Scalar> Operands::*result) {
        with_lanes(of, [&](auto tile) { multiply(tile, of, result); });
    }
    template <class Operands> void run_in_fours(const Operands& of, integer tasks) {
        if (of.rows == 0 || of.columns == 0 || tasks == 0) return;
        with_lanes(of, [&]<class Tile>(Tile tile) {
            kernels().tiles().run(tile_product<Operands, Tile>{of, tile, 1, of.terms}, static_cast<int>(tasks));
        });
    }
    template <class Operands, class F> static void with_lanes(const Operands& of, F f) {
        if (of.rows <= 64) return f(lane_tile<Scalar, 32, 64, 4, 4>{});
        if (of.columns <= 32) return f(lane_tile<Scalar, 128, 32, 8, 4>{});
        f(lane_tile<Scalar, 128, 64, 8, 4>{});
    }
    template <class Tile, class Operands> void multiply(Tile tile, Operands of, on_device::product_result<Scalar> Operands::*result) {
        using product = tile_product<Operands, Tile>;
        on_device::product_result<Scalar>& to = of.*result;
        if (of.rows == 0 || of.columns == 0 || to.to.tasks == 0) return;
        // Parts of at least 256 terms, and not more tiles than keep a device busy with a single task.
        const int tiles = product{of, tile}.tiles(), splits = std::clamp(std::min(of.terms / 256, 64 / tiles), 1, 16);
        const int of_split = (of.terms + splits - 1) / splits;
        to.splits = splits;
        if (splits > 1) to.parts = kernels().launcher().template scratch<Scalar>(to.to.tasks * splits * to.to.batch * to.to.size);
        kernels().tiles().run(product{of, tile, splits, of_split}, static_cast<int>(to.to.tasks));
        if (splits > 1) kernels().launcher().for_each_element(to.to.tasks, to.to.batch * to.to.size, on_device::ordered_sum<Scalar>{to});
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
