// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/backend/cpu/pooled_maximum.hpp>
#include <bilevel/backend/cpu/pooling_window.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Pooling, in loops over the contiguous channels; threads share the images; see `pooling_kernels` in primitives.hpp.
template <class Scalar> class cpu_pooling : public virtual shared_among_threads {
public:
    void max_pool(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x) {
        for (integer t = 0; t < y.tasks; ++t)
            for_each_window(y, x, [=](integer out, const pooling_window& at, integer channels) {
                const Scalar* const image = x.at(t);
                pool_maximum(
                    y.at(t) + out, argmax.at(t) + out, channels,
                    [=](auto lane, int k, integer q) BILEVEL_INLINE_LAMBDA { return lane.get(image + at[k] + q); },
                    [](const auto& largest) BILEVEL_INLINE_LAMBDA { return largest; });
            });
    }

    void max_pool_gather(view<Scalar> y, view<const Scalar> x, view<const std::uint8_t> argmax) {
        for (integer t = 0; t < y.tasks; ++t)
            for_each_window(y, x, [=](integer out, const pooling_window& at, integer channels) {
                Scalar* const result = y.at(t) + out;
                const std::uint8_t* const position = argmax.at(t) + out;
                const Scalar* const image = x.at(t);
                const Scalar *const in0 = image + at[0], *const in1 = image + at[1], *const in2 = image + at[2], *const in3 = image + at[3];
                BILEVEL_INDEPENDENT_ITERATIONS
                for (integer q = 0; q < channels; ++q) {
                    const int k = position[q];
                    const Scalar above = k == 0 ? in0[q] : in1[q], below = k == 2 ? in2[q] : in3[q];
                    result[q] = k < 2 ? above : below;
                }
            });
    }

    void max_pool_scatter(view<Scalar> dx, view<const Scalar> dy, view<const std::uint8_t> argmax) {
        // The windows cover all but the odd last row and column.
        for (integer t = 0; t < dx.tasks; ++t)
            if (dx.extents[0] % 2 != 0 || dx.extents[1] % 2 != 0) std::fill_n(dx.at(t), dx.batch * dx.size, Scalar(0));
        for (integer t = 0; t < dx.tasks; ++t)
            for_each_window(dy, dx, [=](integer in, const pooling_window& at, integer channels) {
                const Scalar* const from = dy.at(t) + in;
                const std::uint8_t* const position = argmax.at(t) + in;
                Scalar* const image = dx.at(t);
                window_positions<Scalar> positions;
                for (integer first = 0; first < channels; first += positions.most) {
                    const integer count = std::min(positions.most, channels - first);
                    positions.load_from(position + first, count);
                    for_each_vector<Scalar>(count, [&](auto lane, integer q) BILEVEL_INLINE_LAMBDA {
                        const auto value = lane.get(from + first + q);
                        for (int k = 0; k < 4; ++k) lane.put(image + at[k] + first + q, positions.only(Scalar(k), q, value));
                    });
                }
            });
    }

    void average_pool(view<Scalar> y, view<const Scalar> x) {
        const integer positions = x.size / y.size;
        for (integer t = 0; t < y.tasks; ++t)
            for_each_stretch(y.batch, shares(x.batch * x.size), [=](integer first, integer end) {
                for (integer b = first; b < end; ++b) {
                    const Scalar* const image = x.at(t, b);
                    Scalar* const mean = y.at(t, b);
                    by_channel::sum(
                        positions, y.size, [=](integer i, integer) { return image[i]; },
                        [=](integer q, Scalar s) { mean[q] = s / Scalar(positions); });
                }
            });
    }

    void average_pool_backward(view<Scalar> dx, view<const Scalar> dy) {
        const integer positions = dx.size / dy.size;
        const Scalar weight = Scalar(1) / Scalar(positions);
        for (integer t = 0; t < dx.tasks; ++t)
            for_each_stretch(dx.batch, shares(dx.batch * dx.size), [=](integer first, integer end) {
                for (integer b = first; b < end; ++b) {
                    Scalar* const out = dx.at(t, b);
                    const Scalar* const in = dy.at(t, b);
                    by_channel::for_each(positions, dy.size, [=](integer i, integer q) { out[i] = in[q] * weight; });
                }
            });
    }

private:
    template <class Pooled, class Image, class F> void for_each_window(const view<Pooled>& y, const view<Image>& x, F f) const {
        for_each_stretch(y.batch, shares(x.batch * x.size),
                         [=](integer first, integer end) { for_each_pooling_window(first, end, y, x, f); });
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
