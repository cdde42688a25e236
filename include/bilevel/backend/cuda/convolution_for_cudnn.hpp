// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/thrust/index.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/host_device.hpp>

#include <algorithm>
#include <cstdint>

namespace bilevel::backend {

/// Who convolves on the device.
enum class convolution_products {
    tiles,  // our tiles: a task has the same bits alone and together with others
    cudnn  // cuDNN, where `cudnn_rule` asks for it; its choice of a kernel may depend on how many images there are, and so on how many tasks
};

inline namespace BILEVEL_INSTRUCTION_SET {

/// Which convolutions of floats are for cuDNN, by the extents and by how the arrays lie, and by nothing that is measured. It is made for the ResNet-12 of MTL, and knows no
/// networks: it takes the body that the tasks of ANIL share, and all of Conv-4 where a meta-batch is one task, as well.
///  - Channels and filters are multiples of 4, and the arrays of tasks begin at multiples of 16 bytes, so that every pixel does. In ResNet-12 this leaves the layers
///    that read the three channels of the images to the tiles.
///  - The padding is smaller than the kernel; a task has less than 2³¹ elements in each array; nothing is empty.
///  - Convolutions and their adjoints by x: all tasks have the same weights, or there is one task.
///  - Adjoints by w, which each task has of its own, whoever shares w: a call takes one task, whose gradient has to keep a device busy alone.
struct cudnn_rule {
    static constexpr integer vector = 4;  // floats in 16 bytes
    /// Elements of a weights' gradient from which on a task has a call of its own: 32 tiles of 128 × 64, in ResNet-12 the 3 × 3 layers of 320 and 640 filters.
    static constexpr integer least_gradient = integer{1} << 18;
    static constexpr integer most_elements = (integer{1} << 31) - 1;

    template <class X, class Y, class W>
    static constexpr bool takes_extents(const view<X>& x, const view<Y>& y, const view<W>& w, convolution_geometry geometry) {
        const bool is_empty = x.batch == 0 || x.size == 0 || y.size == 0 || w.size == 0;
        return !is_empty && x.extents[2] % vector == 0 && y.extents[2] % vector == 0 && geometry.padding < w.extents[0] &&
               geometry.padding < w.extents[1];
    }
    template <class X, class Y, class W>
    static constexpr bool takes(const view<X>& x, const view<Y>& y, const view<W>& w, convolution_geometry geometry) {
        return takes_extents(x, y, w, geometry) && (w.stride == 0 || y.tasks == 1);
    }
    template <class X, class Y, class W>
    static constexpr bool takes_gradient(const view<W>& dw, const view<X>& x, const view<Y>& dy, convolution_geometry geometry) {
        return takes_extents(x, dy, dw, geometry) && dw.size >= least_gradient;
    }

    /// Tasks that one call takes: as many as have less than 2³¹ elements where images and outputs of a task lie behind those of the one before, else one; none where a
    /// task alone has more.
    template <class X, class Y> static constexpr integer tasks_of_call(const view<X>& x, const view<Y>& y) {
        const integer of_x = x.batch * x.size, of_y = y.batch * y.size;
        const bool adjoin = x.stride == of_x && y.stride == of_y;
        return std::min(most_elements / std::max({of_x, of_y, integer{1}}), adjoin ? y.tasks : integer{1});
    }

    /// Whether every task of an array begins at a multiple of 16 bytes.
    template <class Scalar> static bool is_aligned(const view<Scalar>& v) {
        return reinterpret_cast<std::uintptr_t>(v.data) % (vector * sizeof(float)) == 0 && (v.tasks <= 1 || v.stride % vector == 0);
    }
};

namespace on_device {

/// Where element number i of the weights as cuDNN reads them lies among ours: both are the matrix of patches and filters, ours by rows, cuDNN's by columns.
///                                                                                                        // ours (kh,kw,c,f)  cuDNN's (f,kh,kw,c)
struct filter_order {
    integer patch, filters;  // kh kw c, and f
    BILEVEL_HOST_DEVICE constexpr integer operator()(integer i) const { return rest(i, patch) * filters + quotient(i, patch); }
};

/// cuDNN's weights from ours, and ours, or a sum with them, from cuDNN's.
template <class Scalar> struct to_cudnn_order {
    filter_order order;
    const Scalar* ours;
    Scalar* turned;
    BILEVEL_HOST_DEVICE constexpr void operator()(integer i) const { turned[i] = ours[order(i)]; }
};
template <class Scalar> struct from_cudnn_order {
    filter_order order;
    const Scalar* turned;
    Scalar* ours;
    bool accumulate;
    BILEVEL_HOST_DEVICE constexpr void operator()(integer i) const {
        Scalar& result = ours[order(i)];
        result = accumulate ? result + turned[i] : turned[i];
    }
};

}  // namespace on_device
}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
