// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

namespace bilevel::backend {

/// How the cpu backend convolves. All of them give the same numbers up to rounding. Kernels of 1 × 1 with stride 1 and no padding are matrix products
/// whatever is pinned.
enum class convolution_algorithm {
    automatic,  // by the extents
    direct,  // by definition, over the pixels of an image
    direct_across_images,  // by definition, over the pixels of all images that the padding leaves the same taps
    winograd_2x2,  // F(2×2, 3×3): 3 × 3 kernels, stride 1, padding 1, channels and filters that are whole vectors; others are done directly
    /// F(4×4, 3×3) of the same ones, forward and to the images, where it is faster: images of at least 16 pixels and transformed weights of at most 16 MB (in float 341 channels × 341 filters). All
    /// else as by `automatic`, which never chooses it: its rounding error is 2.3 times that of the definition (root mean square, in float).
    winograd_4x4
};

}  // namespace bilevel::backend
