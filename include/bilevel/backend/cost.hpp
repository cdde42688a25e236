// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/folded.hpp>
#include <bilevel/backend/host_arrays.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/backend/single_worker.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/rows.hpp>

#include <cstdint>
#include <string>

namespace bilevel::backend {

/// A backend whose kernels count instead of computing; they touch no memory, so that pointers may be null. Run under an evaluator it gives the cost of a
/// program. Operations are nominal: a convolution counts the products with its padding, exp and log count as one. Bytes are those that the primitive must
/// read and write once each, an array that all tasks share (stride 0) once.
template <class Scalar> struct cost : host_arrays, single_worker<cost<Scalar>> {
    using scalar = Scalar;
    using kernels = cost;
    double flops = 0;
    double bytes = 0;

    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry, bool accumulate) {
        count(taps(w, y), output(y, accumulate), x, w);
    }
    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry, bool accumulate) {
        count(taps(w, dy), output(dx, accumulate), dy, w);
    }
    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry, bool accumulate) {
        count(taps(dw, dy), output(dw, accumulate), x, dy);
    }
    void conv2d_moments(view<Scalar> y, view<Scalar> mean, view<Scalar> r, view<const Scalar> x, view<const Scalar> w, convolution_geometry,
                        Scalar) {
        count(taps(w, y) + 4 * elements(y), y, mean, r, x, w);
    }
    // No operations: the convolution by its definition, which is what counts, transforms nothing.
    void transform_weights(view<Scalar> transformed, view<const Scalar> w, view<const Scalar>, convolution_geometry, bool) {
        count(0, transformed, w);
    }
    void conv2d_tangent(view<Scalar> y, view<const Scalar> x_moved, view<const Scalar> w, view<const Scalar> x, view<const Scalar> w_moved,
                        convolution_geometry) {
        count(2 * taps(w, y), y, x_moved, w, x, w_moved);
    }
    void conv2d_backward_data_tangent(view<Scalar> dx, view<const Scalar> dy_moved, view<const Scalar> w, view<const Scalar> dy,
                                      view<const Scalar> w_moved, convolution_geometry) {
        count(2 * taps(w, dy), dx, dy_moved, w, dy, w_moved);
    }
    void conv2d_backward_weights_tangent(view<Scalar> dw, view<const Scalar> x_moved, view<const Scalar> dy, view<const Scalar> x,
                                         view<const Scalar> dy_moved, convolution_geometry) {
        count(2 * taps(dw, dy), dw, x_moved, dy, x, dy_moved);
    }

    void matmul(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, bool accumulate) {
        count(2 * elements(y) * double(x.size), output(y, accumulate), x, w);
    }
    void matmul_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, bool accumulate) {
        count(2 * elements(dy) * double(dx.size), output(dx, accumulate), dy, w);
    }
    void matmul_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, bool accumulate) {
        count(2 * elements(dy) * double(x.size), output(dw, accumulate), x, dy);
    }

    void rectify(view<Scalar> y, view<const Scalar> x, Scalar) { count(elements(y), y, x); }
    void rectify_backward(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> y, Scalar) { count(elements(dx), dx, dy, y); }

    void max_pool(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x) { count(3 * elements(y), y, argmax, x); }
    void max_pool_gather(view<Scalar> y, view<const Scalar> x, view<const std::uint8_t> argmax) { count(0, y, x, argmax); }
    void max_pool_scatter(view<Scalar> dx, view<const Scalar> dy, view<const std::uint8_t> argmax) { count(0, dx, dy, argmax); }
    void average_pool(view<Scalar> y, view<const Scalar> x) { count(elements(x), y, x); }
    void average_pool_backward(view<Scalar> dx, view<const Scalar> dy) { count(elements(dy), dx, dy); }

    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) { count(accumulate ? elements(y) : 0, output(y, accumulate), b); }
    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) { count(elements(y), output(b, accumulate), y); }

    void moments(view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar) { count(4 * elements(x), mean, r, x); }
    void inverse_deviation(view<Scalar> r, view<const Scalar> variance, Scalar) { count(3 * elements(r), r, variance); }
    void moments_tangent(view<Scalar> dmean, view<Scalar> dr, view<const Scalar> dx, const normalised<Scalar>& of) {
        count(4 * elements(dx), dmean, dr, dx, of.x, of.mean, of.r);
    }
    void batch_norm(view<Scalar> y, view<std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar>) {
        count(4 * elements(of.x), y, argmax, of.x, of.mean, of.r, of.gain, of.shift);
    }
    void batch_norm_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                            const normalised<Scalar>& moved, activation<Scalar> follows) {
        count(6 * elements(dy), dy, argmax, of.x, of.mean, of.r, of.gain, moved.x, moved.mean, moved.r, moved.gain, moved.shift);
        read_sign(y, follows);
    }
    void batch_norm_sums(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> y,
                         view<const std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        count(5 * elements(dy), dgain, dshift, dy, argmax, of.x, of.mean, of.r);
        read_sign(y, follows);
    }
    void batch_norm_sums_tangent(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> dy_moved,
                                 view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                 const normalised<Scalar>& moved, activation<Scalar> follows) {
        count(12 * elements(dy), dgain, dshift, dy, dy_moved, argmax, of.x, of.mean, of.r, moved.x, moved.mean, moved.r);
        read_sign(y, follows);
    }
    void batch_norm_backward(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dy,
                             view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                             activation<Scalar> follows) {
        count(4 * elements(dx) + 2 * elements(dy), dx, dgain, dshift, dy, argmax, of.x, of.mean, of.r, of.gain);
        read_sign(y, follows);
    }
    void batch_norm_backward_tangent(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dgain_moved,
                                     view<const Scalar> dshift_moved, view<const Scalar> dy, view<const Scalar> dy_moved,
                                     view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                     const normalised<Scalar>& moved, activation<Scalar> follows) {
        count(6 * elements(dx) + 4 * elements(dy), dx, dgain, dshift, dgain_moved, dshift_moved, dy, dy_moved, argmax, of.x, of.mean, of.r,
              of.gain, moved.x, moved.mean, moved.r, moved.gain);
        read_sign(y, follows);
    }

    // A matrix that is symmetric counts its half.
    void patch_moments(view<Scalar> mean, view<Scalar> covariance, view<const Scalar> x, convolution_geometry geometry) {
        const double positions = double(x.tasks) * double(x.batch) * double(geometry.output_extent(x.extents[0], mean.extents[0])) *
                                 double(geometry.output_extent(x.extents[1], mean.extents[1]));
        count(positions * double(mean.size) * double(mean.size + 1), mean, covariance, x);
    }
    void fold_batch_norm(view<Scalar> weights, view<Scalar> bias, view<Scalar> mean, view<Scalar> r, view<Scalar> v, view<const Scalar> w,
                         view<const Scalar> gain, view<const Scalar> shift, view<const Scalar> patch_mean,
                         view<const Scalar> patch_covariance, Scalar) {
        count((2 * double(patch_mean.size) + 5) * elements(weights), weights, bias, mean, r, v, w, gain, shift, patch_mean,
              patch_covariance);
    }
    void fold_batch_norm_tangent(view<Scalar> weights_moved, view<Scalar> bias_moved, view<Scalar> mean_moved, view<Scalar> r_moved,
                                 view<Scalar> v_moved, const folded<Scalar>& of, view<const Scalar> w_moved, view<const Scalar> gain_moved,
                                 view<const Scalar> shift_moved, view<const Scalar> patch_mean, view<const Scalar> patch_covariance) {
        count((2 * double(patch_mean.size) + 7) * elements(weights_moved), weights_moved, bias_moved, mean_moved, r_moved, v_moved, of.w,
              of.gain, of.mean, of.r, of.v, w_moved, gain_moved, shift_moved, patch_mean, patch_covariance);
    }
    void fold_batch_norm_backward(view<Scalar> dw, view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dweights,
                                  view<const Scalar> dbias, const folded<Scalar>& of, view<const Scalar> patch_mean) {
        count(7 * elements(dw), dw, dgain, dshift, dweights, dbias, of.w, of.gain, of.mean, of.r, of.v, patch_mean);
    }
    void fold_batch_norm_backward_tangent(view<Scalar> dw, view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dweights,
                                          view<const Scalar> dbias, view<const Scalar> dweights_moved, view<const Scalar> dbias_moved,
                                          const folded<Scalar>& of, const folded<Scalar>& moved, view<const Scalar> patch_mean) {
        count(15 * elements(dw), dw, dgain, dshift, dweights, dbias, dweights_moved, dbias_moved, of.w, of.gain, of.mean, of.r, of.v,
              moved.w, moved.gain, moved.mean, moved.r, moved.v, patch_mean);
    }
    // The whole convolution, of which pooling drops three quarters.
    void conv2d_activation(view<Scalar> y, view<std::uint8_t> argmax, view<const Scalar> x, view<const Scalar> weights,
                           view<const Scalar> bias, convolution_geometry, activation<Scalar>) {
        count(windows(argmax) * (taps(weights, y) + 2 * elements(y)), y, argmax, x, weights, bias);
    }
    void conv2d_activation_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, view<const Scalar> x,
                                   view<const Scalar> weights_moved, view<const Scalar> bias_moved, convolution_geometry,
                                   activation<Scalar> follows) {
        count(windows(argmax) * taps(weights_moved, dy) + 2 * elements(dy), dy, argmax, x, weights_moved, bias_moved);
        read_sign(y, follows);
    }
    void conv2d_activation_backward(view<Scalar> dweights, view<Scalar> dbias, view<const Scalar> dy, view<const Scalar> y,
                                    view<const std::uint8_t> argmax, view<const Scalar> x, convolution_geometry,
                                    activation<Scalar> follows) {
        count(windows(argmax) * taps(dweights, dy) + 2 * elements(dy), dweights, dbias, dy, argmax, x);
        read_sign(y, follows);
    }

    void softmax_cross_entropy(view<Scalar> loss, view<Scalar> p, view<const Scalar> z, view<const int> labels) {
        count(5 * elements(z), loss, p, z, labels);
    }
    void softmax_tangent(view<Scalar> dp, view<const Scalar> p, view<const Scalar> dz) { count(4 * elements(p), dp, p, dz); }
    void cross_entropy_tangent(view<Scalar> dloss, view<const Scalar> p, view<const Scalar> dz, view<const int> labels) {
        count(2 * elements(p), dloss, p, dz, labels);
    }
    void cross_entropy_backward(view<Scalar> dz, view<const Scalar> p, view<const int> labels) { count(2 * elements(p), dz, p, labels); }
    void squared_error(view<Scalar> loss, view<Scalar> residual, view<const Scalar> z, view<const Scalar> target) {
        count(3 * elements(z), loss, residual, z, target);
    }
    void squared_error_tangent(view<Scalar> dloss, view<const Scalar> residual, view<const Scalar> dz) {
        count(2 * elements(dz), dloss, residual, dz);
    }
    void count_correct(view<Scalar> count_of, view<const Scalar> z, view<const int> labels) { count(elements(z), count_of, z, labels); }

    void gather_classes(view<Scalar> w, view<const Scalar>, view<const int> classes) { count(0, w, w, classes); }
    void scatter_classes(view<Scalar>, view<const Scalar> dw, view<const int> classes) { count(elements(dw), dw, dw, dw, classes); }

    void scale(view<Scalar> y, view<const Scalar> x, Scalar) { count(elements(y), y, x); }
    void fill(rows<Scalar> y, Scalar) { count(0, y); }
    void copy(rows<Scalar> y, rows<const Scalar> x) { count(0, y, x); }
    void add_scaled(rows<Scalar> y, Scalar, rows<const Scalar> x) { count(2 * elements(y), y, y, x); }
    void add_scaled(rows<Scalar> y, const Scalar*, rows<const Scalar> x) { count(2 * elements(y), y, y, x); }
    void scale_and_add(rows<Scalar> y, const Scalar*, rows<const Scalar> x) { count(2 * elements(y), y, y, x); }
    void inner_products(Scalar*, rows<const Scalar> a, rows<const Scalar> b) { count(2 * elements(a), a, b); }
    template <class F> void for_each_index(integer, F) {}

    std::string describe() const { return "cost"; }

private:
    // An output that is added to is read and written.
    struct written {
        view<Scalar> plane;
        bool read;
    };
    static written output(view<Scalar> y, bool accumulate) { return {y, accumulate}; }

    template <class T> static double elements(const view<T>& v) { return double(v.tasks) * double(v.batch) * double(v.size); }
    template <class T> static double elements(const rows<T>& r) { return double(r.tasks) * double(r.size); }
    static double taps(const view<const Scalar>& w, const view<const Scalar>& y) {
        return 2 * elements(y) * double(w.extents[0]) * double(w.extents[1]) * double(w.extents[2]);
    }

    template <class T> static double windows(const view<T>& argmax) { return argmax.size > 0 ? 4 : 1; }

    // A linear activation has the same slope everywhere.
    void read_sign(const view<const Scalar>& y, activation<Scalar> follows) {
        if (!follows.is_linear()) count(0, y);
    }

    static double moved(const written& y) { return (y.read ? 2 : 1) * moved(y.plane); }
    template <class Array> static double moved(const Array& a) {
        const bool shared = a.stride == 0 && a.tasks > 1;
        return double(sizeof(typename Array::scalar)) * elements(a) / (shared ? double(a.tasks) : 1);
    }
    template <class... Arrays> void count(double operations, const Arrays&... arrays) {
        flops += operations;
        bytes += (moved(arrays) + ...);
    }
};

}  // namespace bilevel::backend
