// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolution by plain loops; see `convolution_kernels` in primitives.hpp.
template <class Scalar> struct reference_convolution {
    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        if (!accumulate) clear(y);
        const integer channels = x.extents[2], filters = y.extents[2];
        for_each_tap(y, x, w, geometry, [=](Scalar* out, const Scalar* in, const Scalar* tap) {
            for (integer p = 0; p < channels; ++p)
                for (integer q = 0; q < filters; ++q) out[q] += in[p] * tap[p * filters + q];
        });
    }

    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        if (!accumulate) clear(dx);
        const integer channels = dx.extents[2], filters = dy.extents[2];
        for_each_tap(dy, dx, w, geometry, [=](const Scalar* out, Scalar* in, const Scalar* tap) {
            for (integer p = 0; p < channels; ++p)
                for (integer q = 0; q < filters; ++q) in[p] += out[q] * tap[p * filters + q];
        });
    }

    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        if (!accumulate) clear(dw);
        const integer channels = x.extents[2], filters = dy.extents[2];
        for_each_tap(dy, x, dw, geometry, [=](const Scalar* out, const Scalar* in, Scalar* tap) {
            for (integer p = 0; p < channels; ++p)
                for (integer q = 0; q < filters; ++q) tap[p * filters + q] += in[p] * out[q];
        });
    }

private:
    static void clear(view<Scalar> y) {
        for (integer t = 0; t < y.tasks; ++t) std::fill_n(y.at(t), y.batch * y.size, Scalar(0));
    }

    /// f(the output's pixel, the image's pixel, the tap in the weights) for every pair of pixels that a tap of the kernel joins; what falls on the
    /// padding is left out.
    template <class Output, class Image, class Weights, class F>
    static void for_each_tap(view<Output> y, view<Image> x, view<Weights> w, convolution_geometry geometry, F f) {
        const integer channels = x.extents[2], filters = y.extents[2];
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b)
                for (integer i = 0; i < y.extents[0]; ++i)
                    for (integer j = 0; j < y.extents[1]; ++j)
                        for (integer u = 0; u < w.extents[0]; ++u)
                            for (integer v = 0; v < w.extents[1]; ++v) {
                                const integer row = i * geometry.stride + u - geometry.padding;
                                const integer column = j * geometry.stride + v - geometry.padding;
                                if (row < 0 || row >= x.extents[0] || column < 0 || column >= x.extents[1]) continue;
                                f(y.at(t, b) + (i * y.extents[1] + j) * filters, x.at(t, b) + (row * x.extents[1] + column) * channels,
                                  w.at(t) + (u * w.extents[1] + v) * channels * filters);
                            }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
