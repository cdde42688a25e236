// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/single_worker.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/rows.hpp>

#include <cstdint>
#include <string>

namespace bilevel::backend {

/// A backend whose kernels count instead of computing; they touch no memory, so that pointers may be null. Run under an evaluator it gives the cost of a
/// program. Operations are nominal: a convolution counts the products with its padding, exp and log count as one. Bytes are those that the primitive must
/// read and write once each, an array that all tasks share (stride 0) once.
template <class Scalar> struct cost : single_worker<cost<Scalar>> {
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

    void channel_scale(view<Scalar> y, view<const Scalar> x, view<const Scalar> k, bool accumulate) {
        count((accumulate ? 2 : 1) * elements(y), output(y, accumulate), x, k);
    }
    void channel_shift(view<Scalar> y, view<const Scalar> k, bool accumulate) {
        count(accumulate ? elements(y) : 0, output(y, accumulate), k);
    }
    void channel_sum(view<Scalar> s, view<const Scalar> a, bool accumulate) { count(elements(a), output(s, accumulate), a); }
    void channel_dot(view<Scalar> s, view<const Scalar> a, view<const Scalar> b, bool accumulate) {
        count(2 * elements(a), output(s, accumulate), a, b);
    }
    void add_bias(view<Scalar> y, view<const Scalar> b, bool accumulate) { channel_shift(y, b, accumulate); }
    void sum_over_batch(view<Scalar> b, view<const Scalar> y, bool accumulate) { channel_sum(b, y, accumulate); }

    void normalise(view<Scalar> n, view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar) {
        count(6 * elements(x), n, mean, r, x);
    }
    void normalise_with(view<Scalar> n, view<Scalar> r, view<const Scalar> x, view<const Scalar> mean, view<const Scalar> variance,
                        Scalar) {
        count(2 * elements(x), n, r, x, mean, variance);
    }
    void normalise_tangent(view<Scalar> dn, view<Scalar> dr, view<const Scalar> dx, view<const Scalar> n, view<const Scalar> r) {
        count(7 * elements(dx), dn, dr, dx, n, r);
    }
    void batch_norm_backward(view<Scalar> dx, view<const Scalar> gain, view<const Scalar> r, view<const Scalar> dy,
                             view<const Scalar> dbeta, view<const Scalar> n, view<const Scalar> dgamma, bool accumulate) {
        count((accumulate ? 5 : 4) * elements(dx), output(dx, accumulate), gain, r, dy, dbeta, n, dgamma);
    }
    void batch_norm_backward_moved(view<Scalar> dx, view<const Scalar> gain, view<const Scalar> r, view<const Scalar> a,
                                   view<const Scalar> dgamma) {
        count(2 * elements(dx), output(dx, true), gain, r, a, dgamma);
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
