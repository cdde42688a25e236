// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/convolution_operands.hpp>
#include <bilevel/backend/cuda/divisor.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/thrust/normalisation_terms.hpp>
#include <bilevel/backend/thrust/window.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

#include <cstdint>

/// A folded first block as the operands of a `tile_product`: see `folded_kernels` in primitives.hpp.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// The patches of a convolution whose result is pooled, or is not: of each element of the pooled result four patches, one after another.
struct windows {
    convolution_extents e;  // whose output is the pooled one
    bool pooled;

    BILEVEL_HOST_DEVICE constexpr int of_each() const { return pooled ? 4 : 1; }
    BILEVEL_HOST_DEVICE constexpr int count() const { return e.output_pixels() * of_each(); }
    /// The image pixel that the first tap of patch number n reads.
    BILEVEL_HOST_DEVICE constexpr pixel first_of_patch(int n) const {
        if (!pooled) return e.first_of_patch(n);
        const int place = n % 4;
        if (n / 4 >= e.output_pixels()) return pixel::none();
        const divided image(n / 4, e.by_output), at(image.remainder, e.by_out_width);
        return {image.quotient * e.height * e.width * e.channels, (at.quotient * 2 + place / 2) * e.stride - e.padding,
                (at.remainder * 2 + place % 2) * e.stride - e.padding};
    }
};

/// count C = Σ (p − p̄)(p − p̄)ᵀ of patches p:  rows and columns are the elements of a patch, terms output pixels.
template <class Scalar> struct covariance_operands {
    using scalar = Scalar;
    using row_type = tap;
    using term_type = pixel;
    static constexpr bool left_lies_by_rows = true, right_lies_by_terms = false;
    convolution_extents e;
    view<const Scalar> x, mean;
    product_result<Scalar> covariance;
    int rows = e.patch(), columns = e.patch(), terms = e.output_pixels();

    BILEVEL_HOST_DEVICE tap row(int m) const { return e.of_patch(m); }
    BILEVEL_HOST_DEVICE pixel term(int k) const { return e.first_of_patch(k); }
    BILEVEL_HOST_DEVICE Scalar left(int task, const tap& by, const pixel& at) const {
        if (by.row < 0 || at.row < -e.padding) return Scalar(0);  // none, and not in the padding
        return e.element(x.at(task), at, by) - mean.at(task)[(by.row * e.kernel_width + by.column) * e.channels + by.channel];
    }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const {
        return e.element(x.at(task), e.first_of_patch(k), e.of_patch(n)) - mean.at(task)[n];
    }
    BILEVEL_HOST_DEVICE void put(int task, int split, int m, int n, Scalar sum) const { covariance.put(task, split, m * columns + n, sum); }
};

/// What `activated_operands` do with the sums of the patches of one element of the result: the largest one, or that which was the largest. The loops are
/// unrolled, since sums that are found by a number would lie in memory.
template <class Scalar> struct activated_maximum {
    view<Scalar> y;
    view<std::uint8_t> argmax;
    view<const Scalar> bias;
    Scalar slope;

    template <int Patches> BILEVEL_HOST_DEVICE void put(int task, int element, int filter, const Scalar (&sums)[Patches]) const {
        const Scalar add = bias.at(task)[filter];
        int best = 0;
        Scalar largest = sums[0] + add;
        BILEVEL_UNROLL
        for (int place = 1; place < Patches; ++place)
            if (is_larger(sums[place] + add, largest)) {
                largest = sums[place] + add;
                best = place;
            }
        y.at(task)[element] = slope == Scalar(1) || largest > Scalar(0) ? largest : slope * largest;
        if (Patches > 1) argmax.at(task)[element] = static_cast<std::uint8_t>(best);
    }
};
template <class Scalar> struct activated_tangent {
    view<Scalar> dy;
    normalisation_result<Scalar> of;
    view<const Scalar> bias_moved;

    template <int Patches> BILEVEL_HOST_DEVICE void put(int task, int element, int filter, const Scalar (&sums)[Patches]) const {
        const integer position = of.position(task, element);
        Scalar sum = sums[0];
        BILEVEL_UNROLL
        for (int place = 1; place < Patches; ++place)
            if (place == position) sum = sums[place];
        dy.at(task)[element] = (sum + bias_moved.at(task)[filter]) * of.slope(task, element);
    }
};

/// y = activation(conv2d(x, weights) + bias), pooled or not, or its tangent:  rows are patches, columns filters, terms the elements of a patch. The tile gives
/// four rows at a time.
template <class Scalar, class Result> struct activated_operands {
    using scalar = Scalar;
    using row_type = pixel;
    using term_type = tap;
    static constexpr bool left_lies_by_rows = false, right_lies_by_terms = false;
    windows of;
    view<const Scalar> x, weights;
    Result result;
    int rows = of.count(), columns = of.e.filters, terms = of.e.patch();

    BILEVEL_HOST_DEVICE pixel row(int m) const { return of.first_of_patch(m); }
    BILEVEL_HOST_DEVICE tap term(int k) const { return of.e.of_patch(k); }
    BILEVEL_HOST_DEVICE Scalar left(int task, const pixel& at, const tap& by) const { return of.e.element(x.at(task), at, by); }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const { return weights.at(task)[k * of.e.filters + n]; }
    /// The sums of rows m to m + 3.
    BILEVEL_HOST_DEVICE void put_four(int task, int m, int n, const Scalar (&sums)[4]) const {
        if (of.pooled) {
            result.put(task, m / 4 * columns + n, n, sums);
        } else {
            BILEVEL_UNROLL
            for (int i = 0; i < 4; ++i) {
                const Scalar one[] = {sums[i]};
                if (m + i < rows) result.put(task, (m + i) * columns + n, n, one);
            }
        }
    }
};

/// dweights, the adjoint by weights:  rows are the elements of a patch, columns filters, terms patches.
template <class Scalar> struct activated_backward_operands {
    using scalar = Scalar;
    using row_type = tap;
    using term_type = pixel;
    static constexpr bool left_lies_by_rows = true, right_lies_by_terms = false;
    windows of;
    view<const Scalar> x, dy;
    normalisation_result<Scalar> y;
    product_result<Scalar> dweights;
    int rows = of.e.patch(), columns = of.e.filters, terms = of.count();

    BILEVEL_HOST_DEVICE tap row(int m) const { return of.e.of_patch(m); }
    BILEVEL_HOST_DEVICE pixel term(int k) const { return of.first_of_patch(k); }
    BILEVEL_HOST_DEVICE Scalar left(int task, const tap& by, const pixel& at) const { return of.e.element(x.at(task), at, by); }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const {
        const int element = k / of.of_each() * columns + n;
        return y.position(task, element) == k % of.of_each() ? dy.at(task)[element] * y.slope(task, element) : Scalar(0);
    }
    BILEVEL_HOST_DEVICE void put(int task, int split, int m, int n, Scalar sum) const { dweights.put(task, split, m * columns + n, sum); }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
