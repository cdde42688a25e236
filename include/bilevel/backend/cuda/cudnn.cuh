// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cuda/arithmetic.hpp>
#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/backend/cuda/convolution_for_cudnn.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/error.hpp>

#ifdef BILEVEL_HAS_CUDNN
#include <bilevel/backend/cuda/cudnn_descriptors.cuh>
#endif

#include <algorithm>
#include <cstddef>
#include <optional>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

#ifdef BILEVEL_HAS_CUDNN

/// Convolutions by cuDNN (8 or 9) of floats, as `cudnn_rule` says, in FP32 or TF32; see `convolution_kernels` in primitives.hpp. Each gives false, and has done nothing,
/// where it is for the tiles: by the rule, in 3xTF32, without `convolution_products::cudnn`, and where this cuDNN does not have it. The algorithms are fixed, and those
/// whose bits are the same in every run: a choice at run time would change them. Kernels offers launcher() of the thrust kernels and arithmetic_of_products().
/// The weights are turned into cuDNN's order in scratch memory, in front of its workspace.
template <class Kernels, class Scalar> class cudnn_convolutions {
public:
    cudnn_convolutions(cudaStream_t stream, convolution_products by) {
        if (by != convolution_products::cudnn) return;
        if (!std::is_same_v<Scalar, float>)
            throw argument_error(
                "backend::cuda<double>: cuDNN convolves floats alone where channels lie last: expected convolution_products::tiles");
        handle_.emplace("cudnnCreate");
        detail::check(cudnnSetStream(*handle_, stream), "cudnnSetStream");
    }

    bool conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        constexpr auto algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
        if (!is_asked() || !cudnn_rule::takes(x, y, w, geometry)) return false;
        return for_each_call(
            x, y, w, geometry, cudnn_rule::tasks_of_call(x, y),
            [&](const layer& of, std::size_t& bytes) {
                return detail::has(cudnnGetConvolutionForwardWorkspaceSize(*handle_, of.x, of.w, of.by, of.y, algorithm, &bytes),
                                   "cudnnGetConvolutionForwardWorkspaceSize");
            },
            [&](const layer& of, integer t, const places& in) {
                turn(w, in.weights);
                const factors by(accumulate);
                return detail::has(cudnnConvolutionForward(*handle_, &by.product, of.x, x.at(t), of.w, in.weights, of.by, algorithm,
                                                           in.workspace, in.bytes, &by.before, of.y, y.at(t)),
                                   "cudnnConvolutionForward");
            });
    }
    bool conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        constexpr auto algorithm = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
        if (!is_asked() || !cudnn_rule::takes(dx, dy, w, geometry)) return false;
        return for_each_call(
            dx, dy, w, geometry, cudnn_rule::tasks_of_call(dx, dy),
            [&](const layer& of, std::size_t& bytes) {
                return detail::has(cudnnGetConvolutionBackwardDataWorkspaceSize(*handle_, of.w, of.y, of.by, of.x, algorithm, &bytes),
                                   "cudnnGetConvolutionBackwardDataWorkspaceSize");
            },
            [&](const layer& of, integer t, const places& in) {
                turn(w, in.weights);
                const factors by(accumulate);
                return detail::has(cudnnConvolutionBackwardData(*handle_, &by.product, of.w, in.weights, of.y, dy.at(t), of.by, algorithm,
                                                                in.workspace, in.bytes, &by.before, of.x, dx.at(t)),
                                   "cudnnConvolutionBackwardData");
            });
    }
    /// Has the same bits for a task alone and together with others.
    bool conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        constexpr auto algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
        if (!is_asked() || !cudnn_rule::takes_gradient(dw, x, dy, geometry)) return false;
        return for_each_call(
            x, dy, dw, geometry, std::min(cudnn_rule::tasks_of_call(x, dy), integer{1}),
            [&](const layer& of, std::size_t& bytes) {
                return detail::has(cudnnGetConvolutionBackwardFilterWorkspaceSize(*handle_, of.x, of.y, of.by, of.w, algorithm, &bytes),
                                   "cudnnGetConvolutionBackwardFilterWorkspaceSize");
            },
            [&](const layer& of, integer t, const places& in) {
                const factors by(false);
                if (!detail::has(cudnnConvolutionBackwardFilter(*handle_, &by.product, of.x, x.at(t), of.y, dy.at(t), of.by, algorithm,
                                                                in.workspace, in.bytes, &by.before, of.w, in.weights),
                                 "cudnnConvolutionBackwardFilter"))
                    return false;
                self().launcher().for_each(dw.size, on_device::from_cudnn_order<Scalar>{order(dw), in.weights, dw.at(t), accumulate});
                return true;
            });
    }

private:
    using layer = detail::cudnn_layer;
    struct places {
        Scalar* weights;
        void* workspace;
        std::size_t bytes;
    };
    struct factors {  // c = product (a ∗ b) + before c
        Scalar product = 1, before;
        explicit factors(bool accumulate) : before(accumulate ? 1 : 0) {}
    };

    template <class X, class Y, class W, class SizeOf, class Run>
    bool for_each_call(const view<X>& x, const view<Y>& y, const view<W>& w, convolution_geometry geometry, integer at_once, SizeOf size_of,
                       Run run) {
        if (at_once == 0 || !cudnn_rule::is_aligned(x) || !cudnn_rule::is_aligned(y)) return false;
        for (integer t = 0; t < y.tasks; t += at_once) {
            const layer of(x, y, w, geometry, std::min(at_once, y.tasks - t), math());
            places in{};
            if (size_of(of, in.bytes)) {
                constexpr std::size_t alignment = 256;
                const std::size_t of_weights = (static_cast<std::size_t>(w.size) * sizeof(Scalar) + alignment - 1) / alignment * alignment;
                std::byte* const memory = self().launcher().template scratch<std::byte>(static_cast<integer>(of_weights + in.bytes));
                in.weights = reinterpret_cast<Scalar*>(memory);
                in.workspace = memory + of_weights;
                if (run(of, t, in)) continue;
            }
            if (t > 0) throw cuda_error("bilevel: cuDNN has a convolution of many tasks, but not of the last ones");
            return false;
        }
        return true;
    }
    void turn(const view<const Scalar>& w, Scalar* turned) {
        self().launcher().for_each(w.size, on_device::to_cudnn_order<Scalar>{order(w), w.data, turned});
    }
    template <class W> static on_device::filter_order order(const view<W>& w) { return {w.size / w.extents[3], w.extents[3]}; }

    bool is_asked() { return handle_ && self().arithmetic_of_products() != arithmetic::three_tf32; }
    // By default cuDNN would multiply floats in TF32.
    cudnnMathType_t math() { return self().arithmetic_of_products() == arithmetic::tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH; }
    Kernels& self() { return static_cast<Kernels&>(*this); }

    std::optional<detail::cudnn_handle> handle_;
};

#else

/// Of a build without cuDNN: everything is for the tiles, and who asks for cuDNN is told.
template <class Kernels, class Scalar> struct cudnn_convolutions {
    cudnn_convolutions(cudaStream_t, convolution_products by) {
        if (by == convolution_products::cudnn)
            throw argument_error(
                "backend::cuda: this program was built without cuDNN: configure it where cudnn.h and libcudnn are found, with "
                "BILEVEL_CUDNN=ON, and link it to bilevel::cuda, or take convolution_products::tiles");
    }
    template <class... Arguments> static bool conv2d(const Arguments&...) { return false; }
    template <class... Arguments> static bool conv2d_backward_data(const Arguments&...) { return false; }
    template <class... Arguments> static bool conv2d_backward_weights(const Arguments&...) { return false; }
};

#endif

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
