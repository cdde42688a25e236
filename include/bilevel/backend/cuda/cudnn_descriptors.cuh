// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#ifdef BILEVEL_HAS_CUDNN

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/core/array.hpp>

#include <cudnn.h>

#include <string>

/// The objects of cuDNN, by classes that own them; making one touches the host alone.
namespace bilevel::backend::detail {

inline void check(cudnnStatus_t status, const char* call) {
    if (status != CUDNN_STATUS_SUCCESS) throw cuda_error(std::string("bilevel: ") + call + ": " + cudnnGetErrorString(status));
}
/// False where cuDNN says that it does not have what was asked; throws for every other error.
inline bool has(cudnnStatus_t status, const char* call) {
#ifdef CUDNN_STATUS_CATEGORY  // of version 9, which says why in the last three digits
    const bool is_missing = CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED;
#else
    const bool is_missing = status == CUDNN_STATUS_NOT_SUPPORTED;
#endif
    if (!is_missing) check(status, call);
    return !is_missing;
}

template <class Object, auto Create, auto Destroy> class cudnn_object {
public:
    explicit cudnn_object(const char* call) { check(Create(&object_), call); }
    cudnn_object(const cudnn_object&) = delete;
    cudnn_object& operator=(const cudnn_object&) = delete;
    ~cudnn_object() { (void)Destroy(object_); }

    operator Object() const { return object_; }

private:
    Object object_ = nullptr;
};

using cudnn_handle = cudnn_object<cudnnHandle_t, cudnnCreate, cudnnDestroy>;

/// Images of a few tasks.    // (n,h,w,c)
struct cudnn_tensor : cudnn_object<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor> {
    template <class Scalar> cudnn_tensor(const view<Scalar>& v, integer tasks) : cudnn_object("cudnnCreateTensorDescriptor") {
        check(cudnnSetTensor4dDescriptor(*this, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, static_cast<int>(tasks * v.batch),
                                         static_cast<int>(v.extents[2]), static_cast<int>(v.extents[0]), static_cast<int>(v.extents[1])),
              "cudnnSetTensor4dDescriptor");
    }
};

/// The weights of one task, in cuDNN's order.    // (f,kh,kw,c)
struct cudnn_filters : cudnn_object<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor> {
    template <class Scalar> explicit cudnn_filters(const view<Scalar>& w) : cudnn_object("cudnnCreateFilterDescriptor") {
        check(cudnnSetFilter4dDescriptor(*this, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, static_cast<int>(w.extents[3]),
                                         static_cast<int>(w.extents[2]), static_cast<int>(w.extents[0]), static_cast<int>(w.extents[1])),
              "cudnnSetFilter4dDescriptor");
    }
};

/// How the weights move over the images.
struct cudnn_geometry : cudnn_object<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor> {
    cudnn_geometry(convolution_geometry geometry, cudnnMathType_t math) : cudnn_object("cudnnCreateConvolutionDescriptor") {
        const int padding = static_cast<int>(geometry.padding), stride = static_cast<int>(geometry.stride);
        check(cudnnSetConvolution2dDescriptor(*this, padding, padding, stride, stride, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
              "cudnnSetConvolution2dDescriptor");
        check(cudnnSetConvolutionMathType(*this, math), "cudnnSetConvolutionMathType");
    }
};

/// A convolution y = x ∗ w of so many tasks at once, or what takes the place of x, y and w in its adjoints.
struct cudnn_layer {
    cudnn_tensor x, y;
    cudnn_filters w;
    cudnn_geometry by;

    template <class X, class Y, class W>
    cudnn_layer(const view<X>& images, const view<Y>& outputs, const view<W>& weights, convolution_geometry geometry, integer tasks,
                cudnnMathType_t math)
        : x(images, tasks), y(outputs, tasks), w(weights), by(geometry, math) {}
};

}  // namespace bilevel::backend::detail

#endif
