// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Pooling by plain loops; see `pooling_kernels` in primitives.hpp.
template <class Scalar> struct reference_pooling {
    void max_pool(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x) {
        for_each_window(y, x, [=](integer t, integer b, integer out, const integer(&in)[4]) {
            const Scalar* const image = x.at(t, b);
            std::uint8_t best = 0;
            for (std::uint8_t k = 1; k < 4; ++k) {
                const Scalar candidate = image[in[k]], current = image[in[best]];
                const bool current_is_number = current == current;
                if (current_is_number && !(candidate <= current)) best = k;  // larger, or the first NaN
            }
            y.at(t, b)[out] = image[in[best]];
            argmax.at(t, b)[out] = best;
        });
    }

    void max_pool_gather(view<Scalar> y, view<const Scalar> x, view<const std::uint8_t> argmax) {
        for_each_window(y, x, [=](integer t, integer b, integer out, const integer(&in)[4]) {
            y.at(t, b)[out] = x.at(t, b)[in[argmax.at(t, b)[out]]];
        });
    }

    void max_pool_scatter(view<Scalar> dx, view<const Scalar> dy, view<const std::uint8_t> argmax) {
        for (integer t = 0; t < dx.tasks; ++t) std::fill_n(dx.at(t), dx.batch * dx.size, Scalar(0));
        for_each_window(dy, dx, [=](integer t, integer b, integer out, const integer(&in)[4]) {
            dx.at(t, b)[in[argmax.at(t, b)[out]]] = dy.at(t, b)[out];
        });
    }

    void average_pool(view<Scalar> y, view<const Scalar> x) {
        const integer positions = x.size / y.size;
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b)
                for (integer q = 0; q < y.size; ++q) {
                    Scalar sum(0);
                    for (integer i = 0; i < positions; ++i) sum += x.at(t, b)[i * y.size + q];
                    y.at(t, b)[q] = sum / Scalar(positions);
                }
    }

    void average_pool_backward(view<Scalar> dx, view<const Scalar> dy) {
        const integer positions = dx.size / dy.size;
        for (integer t = 0; t < dx.tasks; ++t)
            for (integer b = 0; b < dx.batch; ++b)
                for (integer i = 0; i < positions; ++i)
                    for (integer q = 0; q < dy.size; ++q) dx.at(t, b)[i * dy.size + q] = dy.at(t, b)[q] / Scalar(positions);
    }

private:
    /// f(task, example, offset in the pooled image, offsets of the window's four pixels, row by row) for every element of the pooled image.
    template <class Pooled, class Image, class F> static void for_each_window(view<Pooled> y, view<Image> x, F f) {
        const integer channels = x.extents[2], row = x.extents[1] * channels;
        for (integer t = 0; t < y.tasks; ++t)
            for (integer b = 0; b < y.batch; ++b)
                for (integer i = 0; i < y.extents[0]; ++i)
                    for (integer j = 0; j < y.extents[1]; ++j)
                        for (integer q = 0; q < channels; ++q) {
                            const integer corner = 2 * i * row + 2 * j * channels + q;
                            f(t, b, (i * y.extents[1] + j) * channels + q,
                              {corner, corner + channels, corner + row, corner + row + channels});
                        }
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
