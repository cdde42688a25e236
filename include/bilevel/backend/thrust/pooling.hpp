// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/backend/thrust/window.hpp>
#include <bilevel/core/array.hpp>

#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Pooling, one call for each element of the result; see `pooling_kernels` in primitives.hpp.
template <class Kernels, class Scalar> struct thrust_pooling {
    void max_pool(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const auto at = on_device::window::of_output(e, y, x, true);
            integer best = 0;
            for (integer k = 1; k < 4; ++k)
                if (on_device::is_larger(x.at(t)[at[k]], x.at(t)[at[best]])) best = k;
            y.at(t)[e] = x.at(t)[at[best]];
            argmax.at(t)[e] = static_cast<std::uint8_t>(best);
        });
    }

    void max_pool_gather(view<Scalar> y, view<const Scalar> x, view<const std::uint8_t> argmax) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            y.at(t)[e] = x.at(t)[on_device::window::of_output(e, y, x, true)[argmax.at(t)[e]]];
        });
    }

    void max_pool_scatter(view<Scalar> dx, view<const Scalar> dy, view<const std::uint8_t> argmax) {
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const auto from = on_device::source::of_input(e, dy, dx, true);
            dx.at(t)[e] = from.output >= 0 && argmax.at(t)[from.output] == from.position ? dy.at(t)[from.output] : Scalar(0);
        });
    }

    void average_pool(view<Scalar> y, view<const Scalar> x) {
        launcher().for_each_element(y.tasks, y.batch * y.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            const integer positions = x.size / y.size;
            const Scalar* const image = x.at(t, e / y.size) + e % y.size;
            Scalar sum(0);
            for (integer i = 0; i < positions; ++i) sum += image[i * y.size];
            y.at(t)[e] = sum / Scalar(positions);
        });
    }

    void average_pool_backward(view<Scalar> dx, view<const Scalar> dy) {
        launcher().for_each_element(dx.tasks, dx.batch * dx.size, [=] BILEVEL_DEVICE(integer t, integer e) {
            dx.at(t)[e] = dy.at(t, e / dx.size)[e % dy.size] / Scalar(dx.size / dy.size);
        });
    }

private:
    auto& launcher() { return static_cast<Kernels&>(*this).launcher(); }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
