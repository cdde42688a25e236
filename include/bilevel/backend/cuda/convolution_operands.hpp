// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cuda/divisor.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

/// Convolutions and matrix products as the operands of a `tile_product`. Indices are those of one task, which has less than 2³¹ elements.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {
namespace on_device {

/// Where a sum goes: to its place in the result, which it may be added to, or, of a sum in several parts, to memory from which `ordered_sum` takes it.
template <class Scalar> struct product_result {
    view<Scalar> to;
    bool accumulate = false;
    Scalar* parts = nullptr;  // (tasks, splits, elements of the result), or none
    int splits = 1;

    BILEVEL_HOST_DEVICE void put(int task, int split, int element, Scalar sum) const {
        if (parts != nullptr) {
            parts[(static_cast<integer>(task) * splits + split) * (to.batch * to.size) + element] = sum;
            return;
        }
        Scalar& result = to.at(task)[element];
        result = accumulate ? result + sum : sum;
    }
};

/// The parts of each element, in order.
template <class Scalar> struct ordered_sum {
    product_result<Scalar> of;
    BILEVEL_HOST_DEVICE void operator()(integer t, integer element) const {
        const integer elements = of.to.batch * of.to.size;
        const Scalar* const parts = of.parts + t * of.splits * elements + element;
        Scalar sum = parts[0];
        for (integer split = 1; split < of.splits; ++split) sum = sum + parts[split * elements];
        Scalar& result = of.to.at(t)[element];
        result = of.accumulate ? result + sum : sum;
    }
};

/// Of an image or an output: its first element in a task, and a pixel. A pixel that is none lies outside of every image.
struct pixel {
    int image, row, column;
    static BILEVEL_HOST_DEVICE constexpr pixel none() { return {0, -(1 << 29), 0}; }
};
/// Of a kernel: a tap, and a channel or a filter. A tap that is none reaches outside of every image.
struct tap {
    int row, column, channel;
    static BILEVEL_HOST_DEVICE constexpr tap none() { return {-(1 << 29), 0, 0}; }
};

/// The numbers of a convolution, and what its indices are divided by.    // image (n,h,w,c)  output (n,oh,ow,f)  weights (kh,kw,c,f)
struct convolution_extents {
    int images, height, width, channels, out_height, out_width, filters, kernel_height, kernel_width, stride, padding;
    divisor by_channels, by_filters, by_kernel_width, by_width, by_image, by_out_width, by_output, by_stride;

    template <class Image, class Output, class Weights>
    convolution_extents(const Image& x, const Output& y, const Weights& w, convolution_geometry geometry)
        : images(static_cast<int>(x.batch)), height(static_cast<int>(x.extents[0])), width(static_cast<int>(x.extents[1])),
          channels(static_cast<int>(x.extents[2])), out_height(static_cast<int>(y.extents[0])), out_width(static_cast<int>(y.extents[1])),
          filters(static_cast<int>(y.extents[2])), kernel_height(static_cast<int>(w.extents[0])),
          kernel_width(static_cast<int>(w.extents[1])), stride(static_cast<int>(geometry.stride)),
          padding(static_cast<int>(geometry.padding)), by_channels(channels), by_filters(filters), by_kernel_width(kernel_width),
          by_width(width), by_image(height * width), by_out_width(out_width), by_output(out_height * out_width), by_stride(stride) {}

    BILEVEL_HOST_DEVICE constexpr int taps() const { return kernel_height * kernel_width; }
    BILEVEL_HOST_DEVICE constexpr int patch() const { return taps() * channels; }
    BILEVEL_HOST_DEVICE constexpr int output_pixels() const { return images * out_height * out_width; }

    /// The image pixel that the first tap of output pixel number n reads.
    BILEVEL_HOST_DEVICE constexpr pixel first_of_patch(int n) const {
        if (n >= output_pixels()) return pixel::none();
        const divided image(n, by_output), at(image.remainder, by_out_width);
        return {image.quotient * height * width * channels, at.quotient * stride - padding, at.remainder * stride - padding};
    }
    /// Element number k of a patch.
    BILEVEL_HOST_DEVICE constexpr tap of_patch(int k) const {
        if (k >= patch()) return tap::none();
        const divided of(k, by_channels), at(of.quotient, by_kernel_width);
        return {at.quotient, at.remainder, of.remainder};
    }
    /// That element of that patch of the images of a task; zero in the padding.
    template <class Scalar> BILEVEL_HOST_DEVICE constexpr Scalar element(const Scalar* x, const pixel& first, const tap& by) const {
        const int i = first.row + by.row, j = first.column + by.column;
        const bool inside = i >= 0 && i < height && j >= 0 && j < width;
        return inside ? x[first.image + (i * width + j) * channels + by.channel] : Scalar(0);
    }
};

/// y = conv2d(x, w):  rows are output pixels, columns filters, terms the elements of a patch.
template <class Scalar> struct forward_operands {
    using scalar = Scalar;
    using row_type = pixel;
    using term_type = tap;
    static constexpr bool left_lies_by_rows = false, right_lies_by_terms = false;
    convolution_extents e;
    view<const Scalar> x, w;
    product_result<Scalar> y;
    int rows = e.output_pixels(), columns = e.filters, terms = e.patch();

    BILEVEL_HOST_DEVICE pixel row(int m) const { return e.first_of_patch(m); }
    BILEVEL_HOST_DEVICE tap term(int k) const { return e.of_patch(k); }
    BILEVEL_HOST_DEVICE Scalar left(int task, const pixel& at, const tap& by) const { return e.element(x.at(task), at, by); }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const { return w.at(task)[k * e.filters + n]; }
    BILEVEL_HOST_DEVICE void put(int task, int split, int m, int n, Scalar sum) const { y.put(task, split, m * e.filters + n, sum); }
};

/// dx = its adjoint by x:  rows are image pixels, columns channels, terms taps × filters. Output pixel (i, j) reads image pixel (i s + u − p, j s + v − p).
template <class Scalar> struct data_operands {
    using scalar = Scalar;
    using row_type = pixel;
    using term_type = tap;
    static constexpr bool left_lies_by_rows = false, right_lies_by_terms = true;
    convolution_extents e;
    view<const Scalar> dy, w;
    product_result<Scalar> dx;
    int rows = e.images * e.height * e.width, columns = e.channels, terms = e.taps() * e.filters;

    BILEVEL_HOST_DEVICE pixel row(int m) const {
        if (m >= rows) return pixel::none();
        const divided image(m, e.by_image), at(image.remainder, e.by_width);
        return {image.quotient * e.out_height * e.out_width * e.filters, at.quotient + e.padding, at.remainder + e.padding};
    }
    BILEVEL_HOST_DEVICE tap term(int k) const {
        if (k >= terms) return {1 << 29, 0, 0};  // far below every image
        const divided of(k, e.by_filters), at(of.quotient, e.by_kernel_width);
        return {at.quotient, at.remainder, of.remainder};
    }
    BILEVEL_HOST_DEVICE Scalar left(int task, const pixel& at, const tap& by) const {
        const int down = at.row - by.row, right = at.column - by.column;
        if (down < 0 || right < 0) return Scalar(0);
        const divided i(down, e.by_stride), j(right, e.by_stride);
        if (i.remainder != 0 || j.remainder != 0 || i.quotient >= e.out_height || j.quotient >= e.out_width) return Scalar(0);
        return dy.at(task)[at.image + (i.quotient * e.out_width + j.quotient) * e.filters + by.channel];
    }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const {
        const divided of(k, e.by_filters);  // w[tap, n, filter]
        return w.at(task)[(of.quotient * e.channels + n) * e.filters + of.remainder];
    }
    BILEVEL_HOST_DEVICE void put(int task, int split, int m, int n, Scalar sum) const { dx.put(task, split, m * e.channels + n, sum); }
};

/// dw = its adjoint by w:  rows are the elements of a patch, columns filters, terms output pixels.
template <class Scalar> struct weights_operands {
    using scalar = Scalar;
    using row_type = tap;
    using term_type = pixel;
    static constexpr bool left_lies_by_rows = true, right_lies_by_terms = false;
    convolution_extents e;
    view<const Scalar> x, dy;
    product_result<Scalar> dw;
    int rows = e.patch(), columns = e.filters, terms = e.output_pixels();

    BILEVEL_HOST_DEVICE tap row(int m) const { return e.of_patch(m); }
    BILEVEL_HOST_DEVICE pixel term(int k) const { return e.first_of_patch(k); }
    BILEVEL_HOST_DEVICE Scalar left(int task, const tap& by, const pixel& at) const { return e.element(x.at(task), at, by); }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const { return dy.at(task)[k * e.filters + n]; }
    BILEVEL_HOST_DEVICE void put(int task, int split, int m, int n, Scalar sum) const { dw.put(task, split, m * e.filters + n, sum); }
};

/// c = a b of matrices that lie by rows or, transposed, by columns.
template <class Scalar, bool LeftIsTransposed, bool RightIsTransposed> struct matrix_operands {
    using scalar = Scalar;
    using row_type = int;
    using term_type = int;
    static constexpr bool left_lies_by_rows = LeftIsTransposed, right_lies_by_terms = RightIsTransposed;
    view<const Scalar> a, b;
    product_result<Scalar> c;
    int rows, columns, terms;

    BILEVEL_HOST_DEVICE int row(int m) const { return m < rows ? m : -1; }
    BILEVEL_HOST_DEVICE int term(int k) const { return k < terms ? k : -1; }
    BILEVEL_HOST_DEVICE Scalar left(int task, int m, int k) const {
        if (m < 0 || k < 0) return Scalar(0);
        return a.at(task)[LeftIsTransposed ? k * rows + m : m * terms + k];
    }
    BILEVEL_HOST_DEVICE Scalar right(int task, int k, int n) const {
        return b.at(task)[RightIsTransposed ? n * terms + k : k * columns + n];
    }
    BILEVEL_HOST_DEVICE void put(int task, int split, int m, int n, Scalar sum) const { c.put(task, split, m * columns + n, sum); }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
