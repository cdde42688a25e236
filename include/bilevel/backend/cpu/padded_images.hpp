// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/convolution_axis.hpp>
#include <bilevel/backend/cpu/packet.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Images of one task, (count, height, width, channels).
template <class T> struct images_of_task {
    T* data;
    integer count, height, width, channels;
    integer row() const { return width * channels; }
    integer size() const { return height * width * channels; }
    images_of_task from(integer first) const { return part(first, count); }
    images_of_task part(integer first, integer end) const { return {data + first * size(), end - first, height, width, channels}; }
};

/// Blocks of images, with zeros around them, that stay in the second cache while they are read several times. Images that need no zeros are read where
/// they lie, unless they are to be copied: behind a copy a vector more can be read.
template <class Scalar> struct padded_blocks {
    using image = images_of_task<const Scalar>;
    static constexpr integer bytes = integer{1} << 17;

    padded_blocks(const image& in, const convolution_axis& vertical, const convolution_axis& horizontal, integer most,
                  bool is_copied = false)
        : all(in), height(vertical.extent_with_padding()), width(horizontal.extent_with_padding()), top(vertical.before()),
          left(horizontal.before()), copied(is_copied || top > 0 || left > 0 || height > in.height || width > in.width),
          step(std::clamp(bytes / std::max(image_size() * integer(sizeof(Scalar)), integer{1}), integer{1}, std::max(most, integer{1}))),
          count((in.count + step - 1) / step) {}

    integer image_size() const { return height * width * all.channels; }
    integer first(integer block) const { return block * step; }
    /// Elements of the memory that a block with zeros takes.
    integer memory() const { return copied ? step * image_size() + lanes<Scalar> : 0; }
    /// The images of a block.
    image with_zeros(integer block, Scalar* to) const {
        const image in = all.part(first(block), std::min(first(block + 1), all.count));
        if (!copied) return in;
        const image padded{to, in.count, height, width, in.channels};
        const integer inside = std::clamp(width - left, integer{0}, in.width) * in.channels, before = left * in.channels;
        for (integer n = 0; n < in.count; ++n)
            for (integer i = 0; i < height; ++i, to += padded.row()) {
                if (i < top || i - top >= in.height) {
                    std::fill_n(to, padded.row(), Scalar(0));
                } else {
                    std::fill_n(to, before, Scalar(0));
                    std::copy_n(in.data + n * in.size() + (i - top) * in.row(), inside, to + before);
                    std::fill_n(to + before + inside, padded.row() - before - inside, Scalar(0));
                }
            }
        return padded;
    }

    image all;
    integer height, width, top, left;
    bool copied;
    integer step, count;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
