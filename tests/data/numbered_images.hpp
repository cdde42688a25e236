// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/data/image_set.hpp>

#include <array>
#include <cstddef>
#include <vector>

/// A set whose images say which they are: image i of class c has the value 100 c + i in every pixel, except for its first one, which is
/// negative.
inline bilevel::data::image_set<float> numbered_images(std::size_t classes, std::size_t images, std::size_t size = 2) {
    xt::xtensor<float, 4> pixels(std::array<std::size_t, 4>{classes * images, size, size, 1});
    std::vector<int> labels;
    float* out = pixels.data();
    for (std::size_t c = 0; c < classes; ++c)
        for (std::size_t i = 0; i < images; ++i) {
            for (std::size_t p = 0; p < size * size; ++p) *out++ = (p == 0 ? -1.0f : 1.0f) * static_cast<float>(100 * c + i);
            labels.push_back(static_cast<int>(c));
        }
    return bilevel::data::image_set_from(pixels, labels);
}
