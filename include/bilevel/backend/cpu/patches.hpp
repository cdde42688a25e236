// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cpu/vectorise.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <cstring>

namespace bilevel::backend {

/// The patches of the images of one task as the rows of a matrix, one row for each pixel of the convolution's output, padding as zeros. Images are
/// (height, width, channels), so the pixels that one row of the kernel covers are contiguous.    // patch (kernel_height, kernel_width, channels)
struct patches {
    integer height, width, channels;
    integer output_height, output_width;
    integer kernel_height, kernel_width;
    integer stride, padding;

    template <class Image, class Output, class Weights>
    patches(const view<Image>& x, const view<Output>& y, const view<Weights>& w, convolution_geometry geometry)
        : height(x.extents[0]), width(x.extents[1]), channels(x.extents[2]), output_height(y.extents[0]), output_width(y.extents[1]),
          kernel_height(w.extents[0]), kernel_width(w.extents[1]), stride(geometry.stride), padding(geometry.padding) {}

    integer size() const { return kernel_height * kernel_width * channels; }

    /// Rows first … first + count − 1 of the matrix.    // x (n,h,w,c)  rows (count, patch)
    template <class Scalar> void gather(Scalar* rows, const Scalar* x, integer first, integer count) const {
        for_each_run(first, count, [&](integer run, integer before, integer inside, integer after, integer image) {
            Scalar* out = rows + run;
            fill_zeros(out, before);
            copy(out + before, x + image, inside);
            fill_zeros(out + before + inside, after);
        });
    }

    /// Adds the rows to the pixels that they were gathered from, in the order of the rows.
    template <class Scalar> void scatter(Scalar* x, const Scalar* rows, integer first, integer count) const {
        for_each_run(first, count, [&](integer run, integer before, integer inside, integer, integer image) {
            const Scalar* in = rows + run + before;
            Scalar* out = x + image;
            BILEVEL_INDEPENDENT_ITERATIONS
            for (integer i = 0; i < inside; ++i) out[i] += in[i];
        });
    }

private:
    /// f(offset of the run in the rows, elements before the image's edge, inside, after, offset of the inside in the images) for every row of the kernel
    /// in every patch.
    template <class F> void for_each_run(integer first, integer count, F f) const {
        const integer length = kernel_width * channels;
        integer j = first % output_width, i = first / output_width % output_height, example = first / (output_width * output_height);
        integer run = 0;
        for (integer n = 0; n < count; ++n) {
            const integer column = j * stride - padding;
            const integer before = std::clamp(-column, integer{0}, kernel_width);
            const integer after = std::clamp(column + kernel_width - width, integer{0}, kernel_width);
            const integer inside = kernel_width - before - after;
            for (integer u = 0; u < kernel_height; ++u, run += length) {
                const integer row = i * stride + u - padding;
                if (row < 0 || row >= height || inside == 0) {
                    f(run, length, 0, 0, 0);
                } else {
                    f(run, before * channels, inside * channels, after * channels,
                      ((example * height + row) * width + column + before) * channels);
                }
            }
            if (++j < output_width) continue;
            j = 0;
            if (++i < output_height) continue;
            i = 0;
            ++example;
        }
    }

    // A call of memcpy costs more than the few elements of a run over one or two channels.
    template <class Scalar> static void copy(Scalar* out, const Scalar* in, integer count) {
        if (count >= 16) {
            std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(Scalar));
        } else {
            BILEVEL_INDEPENDENT_ITERATIONS
            for (integer i = 0; i < count; ++i) out[i] = in[i];
        }
    }
    template <class Scalar> static void fill_zeros(Scalar* out, integer count) {
        if (count > 0) std::fill_n(out, count, Scalar(0));
    }
};

}  // namespace bilevel::backend
