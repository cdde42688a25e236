// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cuda/arithmetic.hpp>
#include <bilevel/backend/cuda/convolution_operands.hpp>
#include <bilevel/backend/cuda/lane_tile.hpp>
#include <bilevel/backend/cuda/tensor_tile.hpp>
#include <bilevel/backend/cuda/tile_product.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/error.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolutions and matrix products by `tile_product`, all tasks at once, with weights of each task or shared ones; see `convolution_kernels` and
/// `matrix_kernels` in primitives.hpp. Kernels offers launcher() of the thrust kernels, tiles(), which runs a product, tiles().run(product, tasks), and
/// arithmetic_of_products(), which matters to floats alone. A sum of many terms in few tiles is split, by the extents alone, and its parts are added in order.
template <class Kernels, class Scalar> struct tile_products {
    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        multiply(on_device::forward_operands<Scalar>{{x, y, w, geometry}, x, w, {y, accumulate}}, &on_device::forward_operands<Scalar>::y);
    }
    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        multiply(on_device::data_operands<Scalar>{{dx, dy, w, geometry}, dy, w, {dx, accumulate}}, &on_device::data_operands<Scalar>::dx);
    }
    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
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

private:
    template <bool LeftIsTransposed, bool RightIsTransposed>
    void product(view<Scalar> c, view<const Scalar> a, view<const Scalar> b, integer rows, integer columns, integer terms,
                 bool accumulate) {
        using operands = on_device::matrix_operands<Scalar, LeftIsTransposed, RightIsTransposed>;
        multiply(operands{a, b, {c, accumulate}, static_cast<int>(rows), static_cast<int>(columns), static_cast<int>(terms)}, &operands::c);
    }

    // Few configurations: wide results, narrow ones, and small ones, of which a large tile would waste most.
    template <class Operands> void multiply(Operands of, on_device::product_result<Scalar> Operands::*result) {
        constexpr integer most = std::numeric_limits<int>::max();
        if (integer{of.rows} * std::max(of.columns, of.terms) > most || integer{of.terms} * of.columns > most)
            throw argument_error("backend::cuda: a product of " + std::to_string(of.rows) + " x " + std::to_string(of.terms) + " x " +
                                 std::to_string(of.columns) + " elements a task: expected less than 2^31 in each array");
        if constexpr (std::is_same_v<Scalar, float>) {
            if (const arithmetic by = static_cast<Kernels&>(*this).arithmetic_of_products(); by != arithmetic::fp32) {
                const bool three = by == arithmetic::three_tf32;
                if (of.rows <= 64) return multiply(tensor_tile<32, 64, 16, 32>{three}, of, result);
                if (of.columns <= 32) return multiply(tensor_tile<128, 32, 16, 32>{three}, of, result);
                return multiply(tensor_tile<128, 64, 32, 32>{three}, of, result);
            }
        }
        if (of.rows <= 64) return multiply(lane_tile<Scalar, 32, 64, 4, 4>{}, of, result);
        if (of.columns <= 32) return multiply(lane_tile<Scalar, 128, 32, 8, 4>{}, of, result);
        multiply(lane_tile<Scalar, 128, 64, 8, 4>{}, of, result);
    }
    template <class Tile, class Operands> void multiply(Tile tile, Operands of, on_device::product_result<Scalar> Operands::*result) {
        using product = tile_product<Operands, Tile>;
        auto& kernels = static_cast<Kernels&>(*this);
        on_device::product_result<Scalar>& to = of.*result;
        if (of.rows == 0 || of.columns == 0 || to.to.tasks == 0) return;
        // Parts of at least 256 terms, and not more tiles than keep a device busy with a single task.
        const int tiles = product{of, tile}.tiles(), splits = std::clamp(std::min(of.terms / 256, 64 / tiles), 1, 16);
        const int of_split = (of.terms + splits - 1) / splits;
        to.splits = splits;
        if (splits > 1) to.parts = kernels.launcher().template scratch<Scalar>(to.to.tasks * splits * to.to.batch * to.to.size);
        kernels.tiles().run(product{of, tile, splits, of_split}, static_cast<int>(to.to.tasks));
        if (splits > 1) kernels.launcher().for_each_element(to.to.tasks, to.to.batch * to.to.size, on_device::ordered_sum<Scalar>{to});
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
