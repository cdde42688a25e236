// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/core/array.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Convolution, one call for each element of the result; what falls on the padding is left out. See `convolution_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_convolution {
    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const integer channels = x.extents[2], filters = y.extents[2], q = e % filters;
            const integer j = e / filters % y.extents[1], i = e / filters / y.extents[1] % y.extents[0];
            const Scalar *const image = x.at(t, e / y.size), *const weights = w.at(t) + q;
            Scalar sum(0);
            for (integer u = 0; u < w.extents[0]; ++u)
                for (integer v = 0; v < w.extents[1]; ++v) {
                    const integer row = i * geometry.stride + u - geometry.padding, column = j * geometry.stride + v - geometry.padding;
                    if (row < 0 || row >= x.extents[0] || column < 0 || column >= x.extents[1]) continue;
                    const Scalar* const pixel = image + (row * x.extents[1] + column) * channels;
                    const Scalar* const tap = weights + (u * w.extents[1] + v) * channels * filters;
                    for (integer p = 0; p < channels; ++p) sum += pixel[p] * tap[p * filters];
                }
            y.at(t)[e] = accumulate ? y.at(t)[e] + sum : sum;
        });
    }

    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const integer channels = dx.extents[2], filters = dy.extents[2], p = e % channels;
            const integer column = e / channels % dx.extents[1], row = e / channels / dx.extents[1] % dx.extents[0];
            const Scalar *const image = dy.at(t, e / dx.size), *const weights = w.at(t) + p * filters;
            Scalar sum(0);
            for (integer u = 0; u < w.extents[0]; ++u)
                for (integer v = 0; v < w.extents[1]; ++v) {
                    // Output pixel (i, j) reads this one with tap (u, v):  i s = row + p − u,  j s = column + p − v.
                    const integer down = row + geometry.padding - u, right = column + geometry.padding - v;
                    if (down < 0 || right < 0 || down % geometry.stride != 0 || right % geometry.stride != 0) continue;
                    const integer i = down / geometry.stride, j = right / geometry.stride;
                    if (i >= dy.extents[0] || j >= dy.extents[1]) continue;
                    const Scalar* const pixel = image + (i * dy.extents[1] + j) * filters;
                    const Scalar* const tap = weights + (u * w.extents[1] + v) * channels * filters;
                    for (integer q = 0; q < filters; ++q) sum += pixel[q] * tap[q];
                }
            dx.at(t)[e] = accumulate ? dx.at(t)[e] + sum : sum;
        });
    }

    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        launcher().for_each_element(dw.tasks, dw.batch * dw.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const integer channels = x.extents[2], filters = dy.extents[2], q = e % filters, p = e / filters % channels;
            const integer v = e / filters / channels % dw.extents[1], u = e / filters / channels / dw.extents[1];
            Scalar sum(0);
            for (integer b = 0; b < x.batch; ++b)
                for (integer i = 0; i < dy.extents[0]; ++i) {
                    const integer row = i * geometry.stride + u - geometry.padding;
                    if (row < 0 || row >= x.extents[0]) continue;
                    const Scalar* const pixels = x.at(t, b) + row * x.extents[1] * channels + p;
                    const Scalar* const outputs = dy.at(t, b) + i * dy.extents[1] * filters + q;
                    for (integer j = 0; j < dy.extents[1]; ++j) {
                        const integer column = j * geometry.stride + v - geometry.padding;
                        if (column >= 0 && column < x.extents[1]) sum += pixels[column * channels] * outputs[j * filters];
                    }
                }
            dw.at(t)[e] = accumulate ? dw.at(t)[e] + sum : sum;
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
