// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/arithmetic.hpp>
#include <bilevel/backend/cuda/arrays.cuh>
#include <bilevel/backend/cuda/blas.cuh>
#include <bilevel/backend/cuda/convolution_for_cudnn.hpp>
#include <bilevel/backend/cuda/copies_ahead.cuh>
#include <bilevel/backend/cuda/cudnn.cuh>
#include <bilevel/backend/cuda/graphs.cuh>
#include <bilevel/backend/cuda/handle.cuh>
#include <bilevel/backend/cuda/policy.cuh>
#include <bilevel/backend/cuda/tile_products.hpp>
#include <bilevel/backend/cuda/tiles.cuh>
#include <bilevel/backend/thrust.hpp>
#include <bilevel/core/error.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

namespace bilevel::backend {

namespace detail {
// A base in front of those that need what it holds.
struct owned_handle {
    cuda_handle handle;
};
}  // namespace detail

inline namespace BILEVEL_INSTRUCTION_SET {

/// How a `cuda` backend computes. The result depends on all but `graphs`, in its last bits, or with `tf32` in more.
struct cuda_settings {
    matrix_products products = matrix_products::tiles;  // who multiplies matrices
    convolution_products convolutions = convolution_products::tiles;  // who convolves
    backend::arithmetic arithmetic = backend::arithmetic::fp32;  // of tiles and cuDNN, for floats; cuBLAS's products stay in FP32
    bool graphs = true;  // launch the kernels of a step at once, when its shapes repeat
};

/// An NVIDIA GPU: the device that is current when the backend is made, and must be in every thread that uses it. All tasks of a batch are one block, and every
/// kernel takes all of them at once, on one stream; convolutions and matrix products by tiles in shared memory, everything else by Thrust. In a step the host
/// waits once, at its end, for what it reads; from the third one on a step, or a hypergradient, is a single CUDA graph, as long as shapes and arrays stay. Arithmetic
/// is FP32 (or double) unless the settings say otherwise, and the bits of a result are the same in every run.
/// Throws `cuda_error`, which names the call, where there is no device or a call fails, and `argument_error` for an arithmetic that the scalar, the device or the
/// code compiled for it does not have, and for cuDNN where the scalar is double or the program was built without it. Needs nvcc: the header is not a part of bilevel.hpp.
template <class Scalar>
class cuda : private detail::owned_handle,
             public thrust<cuda_policy, Scalar, cuda_arrays>,
             public tile_products<cuda<Scalar>, Scalar>,
             public blas_products<cuda<Scalar>, Scalar>,
             public cudnn_convolutions<cuda<Scalar>, Scalar> {
    using elementwise = thrust<cuda_policy, Scalar, cuda_arrays>;
    using tiled = tile_products<cuda<Scalar>, Scalar>;
    using blas = blas_products<cuda<Scalar>, Scalar>;
    using cudnn = cudnn_convolutions<cuda<Scalar>, Scalar>;

public:
    using scalar = Scalar;
    using kernels = cuda;

    explicit cuda(const cuda_settings& settings = {})
        : elementwise(cuda_policy(handle.stream()), cuda_arrays(handle)), cudnn(handle.stream(), settings.convolutions),
          settings_(settings) {
        if (settings.arithmetic == arithmetic::fp32) return;
        if (!std::is_same_v<Scalar, float>)
            throw argument_error("backend::cuda<double>: tensor cores take floats: expected arithmetic::fp32");
        const auto device = properties();
        if (device.major < 8)
            throw argument_error(std::string("backend::cuda: ") + device.name + " has no tensor cores for TF32: expected arithmetic::fp32");
#ifdef __CUDA_ARCH_LIST__
        if (const int code = architecture_that_runs({__CUDA_ARCH_LIST__}, 100 * device.major + 10 * device.minor); code > 0 && code < 800)
            throw argument_error("backend::cuda: the code of this program that runs on " + std::string(device.name) +
                                 " is of compute capability " + std::to_string(code / 100) + "." + std::to_string(code % 100 / 10) +
                                 ", which has no TF32: expected CMAKE_CUDA_ARCHITECTURES of 80 or later, or arithmetic::fp32");
#endif
    }

    cuda& worker(integer) { return *this; }
    std::string describe() const {
        const char* const products[] = {", ", " in TF32, ", " in 3xTF32, "};
        return (std::is_same_v<Scalar, float> ? "cuda<float>" : "cuda<double>") +
               std::string(products[static_cast<int>(settings_.arithmetic)]) + properties().name;
    }

    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        if (!cudnn::conv2d(y, x, w, geometry, accumulate)) tiled::conv2d(y, x, w, geometry, accumulate);
    }
    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        if (!cudnn::conv2d_backward_data(dx, dy, w, geometry, accumulate)) tiled::conv2d_backward_data(dx, dy, w, geometry, accumulate);
    }
    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        if (!cudnn::conv2d_backward_weights(dw, x, dy, geometry, accumulate))
            tiled::conv2d_backward_weights(dw, x, dy, geometry, accumulate);
    }
    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        by_blas() ? blas::matmul(y, x, w, accumulate) : tiled::matmul(y, x, w, accumulate);
    }
    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        by_blas() ? blas::matmul_backward_data(dx, dy, w, accumulate) : tiled::matmul_backward_data(dx, dy, w, accumulate);
    }
    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        by_blas() ? blas::matmul_backward_weights(dw, x, dy, accumulate) : tiled::matmul_backward_weights(dw, x, dy, accumulate);
    }

    using tiled::conv2d_activation;
    using tiled::conv2d_activation_backward;
    using tiled::conv2d_activation_tangent;
    using tiled::patch_moments;

    template <class F> void repeat(const repeatable& these, F f) {
        if (settings_.graphs) {
            graphs_.run(
                these, [this] { return this->launcher().scratch_growths(); }, handle.stream(), f);
        } else {
            f();
        }
    }

    /// Memory for batches, from which they are copied fastest: data::episodes(set, settings, backend.batch_memory()).
    memory& batch_memory() const { return cuda_pinned_memory(); }

    /// A copy of an array of the host in the device's memory, which stays until the next one into the same slot, made beside whatever kernels run; the calling
    /// thread, which may be any, waits until it has arrived. For what is drawn ahead (`data::batches_ahead`): support and query inputs of a batch. The slots
    /// are the backend's: two samplers take different ones.
    template <class T> const T* copy_ahead(integer slot, const T* from, integer count) {
        return static_cast<const T*>(ahead_.copy(slot, from, static_cast<std::size_t>(count) * sizeof(T)));
    }

    /// What its kernels run with, for calls of one's own on the same stream.
    cuda_handle& device() { return handle; }
    cuda_tiles tiles() const { return {handle.stream()}; }
    arithmetic arithmetic_of_products() const { return settings_.arithmetic; }
    /// Kernels of the last step or hypergradient that ran as a graph; 0 where none has.
    integer kernels_of_graph() const { return graphs_.kernels(); }

private:
    static cudaDeviceProp properties() {
        int device = 0;
        cudaDeviceProp found{};
        detail::check(cudaGetDevice(&device), "cudaGetDevice");
        detail::check(cudaGetDeviceProperties(&found, device), "cudaGetDeviceProperties");
        return found;
    }
    bool by_blas() const { return settings_.products == matrix_products::cublas; }

    cuda_settings settings_;
    cuda_graphs graphs_;
    cuda_copies_ahead ahead_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
