// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Compiled several times, with UNIT as its name and with different instruction sets.
#include "unit.hpp"

#include <compiled_kernels/declarations.hpp>

using namespace bilevel;

// All kernels, for the test that no two units share one.
BILEVEL_CPU_KERNELS(, float)
BILEVEL_REFERENCE_KERNELS(, float)

namespace UNIT {

std::string instructions() { return backend::cpu<float>().describe(); }

std::vector<float> convolve() {
    constexpr integer side = 9, channels = 32, filters = 16, images = 3;
    std::vector<float> x(images * side * side * channels), w(9 * channels * filters), y(images * side * side * filters);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(int(i * 7 % 13) - 6) / 8;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = float(int(i * 5 % 11) - 5) / 8;
    backend::cpu<float> backend{{.threads = 2, .smallest_share = 1}};
    backend.for_each_block(
        1,
        [&](integer, integer worker) {
            backend.worker(worker).conv2d({y.data(), 0, 1, images, side * side * filters, {side, side, filters}},
                                          {x.data(), 0, 1, images, side * side * channels, {side, side, channels}},
                                          view<const float>{w.data(), 0, 1, 1, 9 * channels * filters, {3, 3, channels, filters}}, {1, 1},
                                          false);
        },
        [](integer, integer) {});
    return y;
}

}  // namespace UNIT
