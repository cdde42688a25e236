// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

namespace bilevel::backend {

/// How the cpu backend convolves. All of them give the same numbers up to rounding. Kernels of 1 × 1 with stride 1 and no padding are matrix products
/// whatever is pinned.
enum class convolution_algorithm {
    automatic,  // by the extents
    direct,  // by definition, over the pixels of an image
    direct_across_images,  // by definition, over the images, pixel by pixel
    winograd_2x2  // F(2×2, 3×3): 3 × 3 kernels, stride 1, padding 1, channels and filters that are whole vectors; others are done directly
};

}  // namespace bilevel::backend
