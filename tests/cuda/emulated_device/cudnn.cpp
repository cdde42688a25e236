// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The functions of cuDNN that the library calls: convolutions by their definition, of images (n,h,w,c) and filters (f,kh,kw,c).
#include "kernel.hpp"
#include "memory.hpp"
#include "streams.hpp"

#include <cudnn.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {
using namespace emulated;

struct images {
    int count, channels, height, width;
    std::size_t at(int n, int h, int w) const {
        return ((std::size_t(n) * std::size_t(height) + std::size_t(h)) * std::size_t(width) + std::size_t(w)) * std::size_t(channels);
    }
    std::size_t size() const { return at(count, 0, 0); }
};
struct steps {
    int padding, stride;
};
struct library {
    cudaStream_t stream = nullptr;
};

template <class Object, class Handle> Object& of(Handle handle) { return *reinterpret_cast<Object*>(handle); }
template <class Object, class Handle> cudnnStatus_t create(Handle* handle) {
    *handle = reinterpret_cast<Handle>(new Object{});
    return CUDNN_STATUS_SUCCESS;
}
template <class Object, class Handle> cudnnStatus_t destroy(Handle handle) {
    delete reinterpret_cast<Object*>(handle);
    return CUDNN_STATUS_SUCCESS;
}

constexpr std::size_t wanted_workspace = 1000;
enum class direction { forward, to_images, to_filters };
struct convolution {
    images x, filters, y;
    steps by;

    bool fits() const {
        const auto reaches = [this](int in, int kernel, int out) { return (in + 2 * by.padding - kernel) / by.stride + 1 == out; };
        return x.count == y.count && x.channels == filters.channels && y.channels == filters.count &&
               reaches(x.height, filters.height, y.height) && reaches(x.width, filters.width, y.width);
    }
    template <direction D>
    void run(const float* a, const float* b, float* to, float factor, float before, void* workspace, std::size_t bytes) const {
        begin_kernel("cuDNN");
        thread one{};
        one.number = 1;
        const auto place = [](const void* data, std::size_t i) { return reinterpret_cast<std::uint64_t>(data) + i * sizeof(float); };
        const auto read = [&](const float* from, std::size_t count) {
            std::vector<float> all(count);
            for (std::size_t i = 0; i < count; ++i) all[i] = ld_global<float>(one, place(from, i));
            return all;
        };
        for (std::size_t i = 0; i < bytes / sizeof(float); ++i) st_global(one, place(workspace, i), 1.0F);
        const std::vector<float> left = read(a, D == direction::to_images ? y.size() : x.size()),
                                 right = read(b, D == direction::to_filters ? y.size() : filters.size());
        std::vector<double> sums(D == direction::forward ? y.size() : D == direction::to_images ? x.size() : filters.size());
        for (int n = 0; n < y.count; ++n)
            for (int h = 0; h < y.height; ++h)
                for (int w = 0; w < y.width; ++w)
                    for (int r = 0; r < filters.height; ++r)
                        for (int s = 0; s < filters.width; ++s) {
                            const int i = h * by.stride - by.padding + r, j = w * by.stride - by.padding + s;
                            if (i < 0 || i >= x.height || j < 0 || j >= x.width) continue;
                            for (int f = 0; f < filters.count; ++f)
                                for (int c = 0; c < filters.channels; ++c) {
                                    const std::size_t of_x = x.at(n, i, j) + std::size_t(c), of_y = y.at(n, h, w) + std::size_t(f),
                                                      of_filters = filters.at(f, r, s) + std::size_t(c);
                                    if constexpr (D == direction::forward) sums[of_y] += double(left[of_x]) * double(right[of_filters]);
                                    if constexpr (D == direction::to_images) sums[of_x] += double(left[of_y]) * double(right[of_filters]);
                                    if constexpr (D == direction::to_filters) sums[of_filters] += double(left[of_x]) * double(right[of_y]);
                                }
                        }
        for (std::size_t i = 0; i < sums.size(); ++i)
            st_global(one, place(to, i), factor * float(sums[i]) + (before == 0 ? 0.0F : before * ld_global<float>(one, place(to, i))));
        end_kernel();
    }
};
template <direction D>
cudnnStatus_t enqueue_convolution(cudnnHandle_t handle, const convolution& what, const void* factor, const void* before, const void* a,
                                  const void* b, void* to, void* workspace, std::size_t bytes) {
    if (!what.fits() || bytes < wanted_workspace) return CUDNN_STATUS_BAD_PARAM;
    enqueue(of<library>(handle).stream, [=, by = *static_cast<const float*>(factor), kept = *static_cast<const float*>(before)] {
        what.run<D>(static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(to), by, kept, workspace, bytes);
    });
    return CUDNN_STATUS_SUCCESS;
}
convolution described(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t filters, cudnnTensorDescriptor_t y,
                      cudnnConvolutionDescriptor_t by) {
    return {of<images>(x), of<images>(filters), of<images>(y), of<steps>(by)};
}
cudnnStatus_t workspace_of(const convolution& what, std::size_t* bytes) {
    *bytes = wanted_workspace;
    return what.fits() ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
}  // namespace

extern "C" {

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) { return create<library>(handle); }
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy<library>(handle); }
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    of<library>(handle).stream = stream;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* one) { return create<images>(one); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t one) { return destroy<images>(one); }
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* one) { return create<images>(one); }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t one) { return destroy<images>(one); }
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* one) { return create<steps>(one); }
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t one) { return destroy<steps>(one); }
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t one, cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h,
                                         int w) {
    if (format != CUDNN_TENSOR_NHWC || type != CUDNN_DATA_FLOAT || n < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
    of<images>(one) = {n, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t one, cudnnDataType_t type, cudnnTensorFormat_t format, int f, int c, int h,
                                         int w) {
    if (format != CUDNN_TENSOR_NHWC || type != CUDNN_DATA_FLOAT || f < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
    of<images>(one) = {f, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t one, int padding, int across, int stride, int stride_across,
                                              int dilation, int dilation_across, cudnnConvolutionMode_t mode, cudnnDataType_t) {
    if (padding != across || stride != stride_across || dilation != 1 || dilation_across != 1 || mode != CUDNN_CROSS_CORRELATION)
        return CUDNN_STATUS_BAD_PARAM;
    of<steps>(one) = {padding, stride};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t) { return CUDNN_STATUS_SUCCESS; }

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                                      cudnnConvolutionDescriptor_t by, cudnnTensorDescriptor_t y, cudnnConvolutionFwdAlgo_t,
                                                      std::size_t* bytes) {
    return workspace_of(described(x, w, y, by), bytes);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t y,
                                                           cudnnConvolutionDescriptor_t by, cudnnTensorDescriptor_t x,
                                                           cudnnConvolutionBwdDataAlgo_t, std::size_t* bytes) {
    return workspace_of(described(x, w, y, by), bytes);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y,
                                                             cudnnConvolutionDescriptor_t by, cudnnFilterDescriptor_t w,
                                                             cudnnConvolutionBwdFilterAlgo_t, std::size_t* bytes) {
    return workspace_of(described(x, w, y, by), bytes);
}
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* factor, cudnnTensorDescriptor_t x, const void* of_x,
                                      cudnnFilterDescriptor_t w, const void* of_w, cudnnConvolutionDescriptor_t by,
                                      cudnnConvolutionFwdAlgo_t, void* workspace, std::size_t bytes, const void* before,
                                      cudnnTensorDescriptor_t y, void* of_y) {
    return enqueue_convolution<direction::forward>(handle, described(x, w, y, by), factor, before, of_x, of_w, of_y, workspace, bytes);
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* factor, cudnnFilterDescriptor_t w, const void* of_w,
                                           cudnnTensorDescriptor_t y, const void* of_y, cudnnConvolutionDescriptor_t by,
                                           cudnnConvolutionBwdDataAlgo_t, void* workspace, std::size_t bytes, const void* before,
                                           cudnnTensorDescriptor_t x, void* of_x) {
    return enqueue_convolution<direction::to_images>(handle, described(x, w, y, by), factor, before, of_y, of_w, of_x, workspace, bytes);
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* factor, cudnnTensorDescriptor_t x, const void* of_x,
                                             cudnnTensorDescriptor_t y, const void* of_y, cudnnConvolutionDescriptor_t by,
                                             cudnnConvolutionBwdFilterAlgo_t, void* workspace, std::size_t bytes, const void* before,
                                             cudnnFilterDescriptor_t w, void* of_w) {
    return enqueue_convolution<direction::to_filters>(handle, described(x, w, y, by), factor, before, of_x, of_y, of_w, workspace, bytes);
}
}
