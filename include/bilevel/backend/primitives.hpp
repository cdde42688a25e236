// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/convolution_weights.hpp>
#include <bilevel/backend/folded.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/memory.hpp>
#include <bilevel/core/repeatable.hpp>
#include <bilevel/core/rows.hpp>

#include <concepts>
#include <cstdint>
#include <string>

/// What a backend must bring: kernels, and a way to run them on several workers. The concepts name the topics; each lists its primitives, with what they
/// compute. In all of them
///  - the tasks of the views come first: every kernel treats them one after the other or all at once, each as if it were alone, bit for bit; inputs
///    may be shared between the tasks (stride 0);
///  - `accumulate` adds to the output, otherwise it is overwritten; no output overlaps an input;
///  - NaN in an input reaches the outputs that depend on it;
///  - nothing is allocated after the first call with the same extents.
namespace bilevel::backend {

namespace detail {
/// One argument of each kind, as a concept needs it.
template <class Scalar> struct arguments {
    view<Scalar> out, out2, out3, out4, out5;
    view<const Scalar> in, in2, in3, in4, in5, in6, in7;
    view<std::uint8_t> positions_out;
    view<const std::uint8_t> positions;
    view<const int> labels;
    rows<Scalar> out_rows;
    rows<const Scalar> in_rows, in_rows2;
    Scalar* sums;
    const Scalar* factors;
    Scalar number;
};
struct any_index_function {
    void operator()(integer) const {}
};
struct any_sequence {
    void operator()() const {}
};
struct any_block_function {
    void operator()(integer, integer) const {}
};
}  // namespace detail

/// Convolution of images with kernels of any height and width kh, kw; stride s, padding p with zeros.    // x (n,h,w,c)  w (kh,kw,c,f)  y (n,oh,ow,f)
///  conv2d:                   y[b,i,j,f] = Σ_{u,v,c} x[b, i s + u − p, j s + v − p, c] w[u,v,c,f]
///  conv2d_backward_data:     dx = its adjoint by x,  dx[b, i s + u − p, j s + v − p, c] = Σ_f dy[b,i,j,f] w[u,v,c,f], summed over all that meet there
///  conv2d_backward_weights:  dw = its adjoint by w,  dw[u,v,c,f] = Σ_{b,i,j} x[b, i s + u − p, j s + v − p, c] dy[b,i,j,f]
template <class K>
concept convolution_kernels = requires(K& k, detail::arguments<typename K::scalar> a, convolution_geometry geometry, bool accumulate) {
    k.conv2d(a.out, a.in, a.in2, geometry, accumulate);
    k.conv2d_backward_data(a.out, a.in, a.in2, geometry, accumulate);
    k.conv2d_backward_weights(a.out, a.in, a.in2, geometry, accumulate);
};

/// What a backend brings besides where it can sum two convolutions faster than one after the other; without it a tangent rule is two calls, of which the
/// second accumulates.
///  conv2d_tangent:                   ẏ = conv2d(ẋ, w) + conv2d(x, ẇ)
///  conv2d_backward_data_tangent:     ˙dx = conv2d_backward_data(˙dy, w) + conv2d_backward_data(dy, ẇ)
///  conv2d_backward_weights_tangent:  ˙dw = conv2d_backward_weights(ẋ, dy) + conv2d_backward_weights(x, ˙dy)
template <class K>
concept convolution_tangent_kernels = requires(K& k, detail::arguments<typename K::scalar> a, convolution_geometry geometry) {
    k.conv2d_tangent(a.out, a.in, a.in2, a.in3, a.in4, geometry);
    k.conv2d_backward_data_tangent(a.out, a.in, a.in2, a.in3, a.in4, geometry);
    k.conv2d_backward_weights_tangent(a.out, a.in, a.in2, a.in3, a.in4, geometry);
};

/// What a backend brings besides where the moments of a convolution's result cost less while it is written than read again; without it they are two calls.
///  conv2d_moments:  y = conv2d(x, w), and mean and r of y as `moments` in `batch_norm_kernels` has them
template <class K>
concept convolution_moments_kernels = requires(K& k, detail::arguments<typename K::scalar> a, convolution_geometry geometry) {
    k.conv2d_moments(a.out, a.out2, a.out3, a.in, a.in2, geometry, a.number);
};

/// What a backend brings besides where a convolution computes much of its weights alone. The convolutions above, their tangents and `conv2d_moments` take it
/// beside w, as `convolution_weights`, and give the same without.
///  transform_weights:  what conv2d, or with `adjoint` conv2d_backward_data, of such images computes of w; nothing, where they compute nothing of it
template <class K>
concept weight_transforming_kernels = requires(K& k, detail::arguments<typename K::scalar> a, convolution_geometry geometry, bool adjoint) {
    k.transform_weights(a.out, a.in, a.in2, geometry, adjoint);
    k.conv2d(a.out, a.in, convolution_weights<typename K::scalar>(a.in2, a.in3), geometry, adjoint);
};

/// Matrix products; an example of any shape is a row.    // x (n,k)  w (k,m)  y (n,m)
///  matmul:                   y = x w
///  matmul_backward_data:     dx = dy wᵀ
///  matmul_backward_weights:  dw = xᵀ dy
template <class K>
concept matrix_kernels = requires(K& k, detail::arguments<typename K::scalar> a, bool accumulate) {
    k.matmul(a.out, a.in, a.in2, accumulate);
    k.matmul_backward_data(a.out, a.in, a.in2, accumulate);
    k.matmul_backward_weights(a.out, a.in, a.in2, accumulate);
};

/// Rectifiers, with slope ≥ 0 below zero: 0 is ReLU, a positive one leaky ReLU. The derivative at 0 is the slope.
///  rectify:           y = x > 0 ? x : slope x
///  rectify_backward:  dx = y > 0 ? dy : slope dy
template <class K>
concept activation_kernels = requires(K& k, detail::arguments<typename K::scalar> a) {
    k.rectify(a.out, a.in, a.number);
    k.rectify_backward(a.out, a.in, a.in2, a.number);
};

/// Pooling. The windows of max_pool are 2 × 2 with stride 2; an odd last row or column belongs to none.    // x (n,h,w,c)  y, argmax (n,h/2,w/2,c)
///  max_pool:               y = the largest of the window, argmax = its position 0 … 3, row by row; the first of equal ones, or the first NaN
///  max_pool_gather:        y[o] = x[argmax[o]]
///  max_pool_scatter:       dx = its adjoint, zero where no maximum came from; overwrites all of dx
///  average_pool:           y[b,c] = the mean of x[b,i,j,c] over the positions (i, j)    // y (n,c)
///  average_pool_backward:  dx[b,i,j,c] = dy[b,c] / (h w)
template <class K>
concept pooling_kernels = requires(K& k, detail::arguments<typename K::scalar> a) {
    k.max_pool(a.out, a.positions_out, a.in);
    k.max_pool_gather(a.out, a.in, a.positions);
    k.max_pool_scatter(a.out, a.in, a.positions);
    k.average_pool(a.out, a.in);
    k.average_pool_backward(a.out, a.in);
};

/// The bias of a linear layer, by output, the last axis.    // y (n,…,m)  b (m)
///  add_bias:        y[i,m] = b[m], or added to what is there
///  sum_over_batch:  b[m] = Σ_i y[i,m], its adjoint
template <class K>
concept bias_kernels = requires(K& k, detail::arguments<typename K::scalar> a, bool accumulate) {
    k.add_bias(a.out, a.in, accumulate);
    k.sum_over_batch(a.out, a.in, accumulate);
};

/// Batch norm [Ioffe15] and what follows it, by channel over m positions: n = (x − mean) r, z = gain n + shift, and y = activation(z), or the largest of its
/// 2 × 2 windows; see normalised.hpp. dz is the adjoint of z: dy times the slope of the activation, where y comes from, and zero elsewhere. A dot is a
/// tangent; of is the `normalised`, moved its tangents.    // x, dx (n,h,w,c)  y, dy (n,h,w,c) or pooled  mean, r, gain, … (c)
///  moments:                      mean and r = 1/√(variance + ε) of x; the variance is the biased one, about the mean; r is NaN where it is not finite
///  inverse_deviation:            r of a variance that is given
///  moments_tangent:              ˙mean = Σẋ/m,  ṙ = −r² Σ(ẋ n)/m
///  batch_norm:                   y and argmax
///  batch_norm_tangent:           ẏ = slope ż where y comes from,  ż = gain ṅ + ˙gain n + ˙shift,  ṅ = (ẋ − ˙mean) r + (x − mean) ṙ
///  batch_norm_sums:              dgain = Σ dz n,  dshift = Σ dz
///  batch_norm_sums_tangent:      ˙dgain = Σ (˙dz n + dz ṅ),  ˙dshift = Σ ˙dz
///  batch_norm_backward:          dx = gain r (dz − dshift/m − n dgain/m)
///  batch_norm_backward_tangent:  its tangent, by x, gain, dz and both sums
template <class K>
concept batch_norm_kernels = requires(K& k, detail::arguments<typename K::scalar> a, const normalised<typename K::scalar>& of,
                                      activation<typename K::scalar> follows) {
    k.moments(a.out, a.out2, a.in, a.number);
    k.inverse_deviation(a.out, a.in, a.number);
    k.moments_tangent(a.out, a.out2, a.in, of);
    k.batch_norm(a.out, a.positions_out, of, follows);
    k.batch_norm_tangent(a.out, a.in, a.positions, of, of, follows);
    k.batch_norm_sums(a.out, a.out2, a.in, a.in2, a.positions, of, follows);
    k.batch_norm_sums_tangent(a.out, a.out2, a.in, a.in2, a.in3, a.positions, of, of, follows);
    k.batch_norm_backward(a.out, a.in, a.in2, a.in3, a.in4, a.positions, of, follows);
    k.batch_norm_backward_tangent(a.out, a.in, a.in2, a.in3, a.in4, a.in5, a.in6, a.in7, a.positions, of, of, follows);
};

/// Convolution, batch norm and what follows it, of images that are constants: the statistics of the convolution's result follow from those of the images'
/// patches p (of one position, kh kw c elements), and batch norm is an affine map by channel, which the weights take in; so the result of the convolution,
/// which pooling would drop three quarters of, is nowhere stored. See folded.hpp.    // x (n,h,w,c)  weights (kh,kw,c,f)  y, dy (n,oh,ow,f) or pooled
///  patch_moments:                     p̄ = Σ p / m,  C = Σ (p − p̄)(p − p̄)ᵀ / m, about the mean, over m positions    // p̄ (kh,kw,c)  C (k,k), k = kh kw c
///  fold_batch_norm:                   v = C w,  mean = wᵀp̄,  r = 1/√(Σ_k w v + ε),  weights = w gain r,  bias = shift − gain r mean
///  fold_batch_norm_tangent:           ˙weights, ˙bias, ˙mean, ṙ, ˙v, by w, gain and shift
///  fold_batch_norm_backward:          dw, dgain and dshift of dweights and dbias
///  fold_batch_norm_backward_tangent:  its tangent, by w, gain, dweights and dbias
///  conv2d_activation:                 y = activation(conv2d(x, weights) + bias), pooled as in `batch_norm`, and argmax
///  conv2d_activation_tangent:         ẏ = slope (conv2d(x, ˙weights) + ˙bias) where y comes from
///  conv2d_activation_backward:        dweights, dbias: its adjoint; linear in dy, and so its own tangent
template <class K>
concept folded_kernels = requires(K& k, detail::arguments<typename K::scalar> a, const folded<typename K::scalar>& of,
                                  convolution_geometry geometry, activation<typename K::scalar> follows) {
    k.patch_moments(a.out, a.out2, a.in, geometry);
    k.fold_batch_norm(a.out, a.out2, a.out3, a.out4, a.out5, a.in, a.in2, a.in3, a.in4, a.in5, a.number);
    k.fold_batch_norm_tangent(a.out, a.out2, a.out3, a.out4, a.out5, of, a.in, a.in2, a.in3, a.in4, a.in5);
    k.fold_batch_norm_backward(a.out, a.out2, a.out3, a.in, a.in2, of, a.in3);
    k.fold_batch_norm_backward_tangent(a.out, a.out2, a.out3, a.in, a.in2, a.in3, a.in4, of, of, a.in5);
    k.conv2d_activation(a.out, a.positions_out, a.in, a.in2, a.in3, geometry, follows);
    k.conv2d_activation_tangent(a.out, a.in, a.positions, a.in2, a.in3, a.in4, geometry, follows);
    k.conv2d_activation_backward(a.out, a.out2, a.in, a.in2, a.positions, a.in3, geometry, follows);
};

/// Losses, means over the batch.    // z, p, dz, dp (n,ways)  labels (n)  loss, count (1)  target, residual (n,m)
///  softmax_cross_entropy:   p = softmax(z),  loss = −Σ_b log p[b, label_b] / n
///  softmax_tangent:         dp = p (dz − Σ_q p dz)
///  cross_entropy_tangent:   dloss = Σ_b (Σ_q p dz − dz[b, label_b]) / n
///  cross_entropy_backward:  dz = (p − onehot(label)) / n
///  squared_error:           residual = z − target,  loss = Σ residual² / (n m)
///  squared_error_tangent:   dloss = 2 Σ residual dz / (n m)
///  count_correct:           count = the examples whose first largest logit is the label's; with a NaN among its logits an example is wrong
template <class K>
concept loss_kernels = requires(K& k, detail::arguments<typename K::scalar> a) {
    k.softmax_cross_entropy(a.out, a.out2, a.in, a.labels);
    k.softmax_tangent(a.out, a.in, a.in2);
    k.cross_entropy_tangent(a.out, a.in, a.in2, a.labels);
    k.cross_entropy_backward(a.out, a.in, a.labels);
    k.squared_error(a.out, a.out2, a.in, a.in2);
    k.squared_error_tangent(a.out, a.in, a.in2);
    k.count_correct(a.out, a.in, a.labels);
};

/// The rows of a class-wise head; classes (ways) are rows of the head, one example each.    // head (classes,features)  w (features,ways)
///  gather_classes:   w[p,q] = head[classes[q],p]
///  scatter_classes:  dhead[classes[q],p] += dw[p,q], task after task, so that tasks may share dhead (stride 0)
template <class K>
concept gather_kernels = requires(K& k, detail::arguments<typename K::scalar> a) {
    k.gather_classes(a.out, a.in, a.labels);
    k.scatter_classes(a.out, a.in, a.labels);
};

/// Vectors, one a task; a[t] are the task's own factors.
///  scale:           y = factor x, on views
///  fill, copy:      y = value,  y = x
///  add_scaled:      y += a x,  or  y_t += a[t] x_t, which leaves y_t untouched where a[t] = 0, whatever x_t holds
///  scale_and_add:   y_t = x_t + b[t] y_t
///  inner_products:  result[t] = ⟨a_t, b_t⟩, in a fixed order; float is summed in double
///  for_each_index:  f(i), i = 0 … count − 1, in any order and several at a time; f runs where the arrays are (core/host_device.hpp)
template <class K>
concept vector_kernels = requires(K& k, detail::arguments<typename K::scalar> a, integer count) {
    k.scale(a.out, a.in, a.number);
    k.fill(a.out_rows, a.number);
    k.copy(a.out_rows, a.in_rows);
    k.add_scaled(a.out_rows, a.number, a.in_rows);
    k.add_scaled(a.out_rows, a.factors, a.in_rows);
    k.scale_and_add(a.out_rows, a.factors, a.in_rows);
    k.inner_products(a.sums, a.in_rows, a.in_rows2);
    k.for_each_index(count, detail::any_index_function{});
};

/// Where arrays lie, and how the host sees them.
///  array_memory:            of what kernels alone read and write: workspaces
///  shared_memory:           of what the host reads and writes too, between `wait` and the next kernel: a state, what tasks report
///  wait:                    returns when all kernels called so far are done
///  upload:                  an array where kernels can read it: itself, if it lies in their memory, or a copy, which stays until the next one into the same
///                           slot
///  download:                waits, and copies an array to the host
///  repeat:                  f(), or the kernels that f called when it was last given with an equal identity; f waits for nothing
///  are_surely_zero:         whether all numbers are zero; false where the host would have to wait to know it
///  arrays_are_on_the_host:  the host may read and write every array at any time; then `wait` and `upload` do nothing
template <class K>
concept array_placement =
    requires(K& k, integer slot, integer count, typename K::scalar* to, const typename K::scalar* from, repeatable these) {
        { k.array_memory() } -> std::same_as<memory&>;
        { k.shared_memory() } -> std::same_as<memory&>;
        k.wait();
        { k.upload(slot, from, count) } -> std::same_as<const typename K::scalar*>;
        k.download(to, from, count);
        k.repeat(these, detail::any_sequence{});
        { k.are_surely_zero(from, count) } -> std::same_as<bool>;
        requires std::same_as<const bool, decltype(K::arrays_are_on_the_host)>;
    };

/// All the kernels.
template <class K>
concept kernel_set =
    array_placement<K> && convolution_kernels<K> && matrix_kernels<K> && activation_kernels<K> && pooling_kernels<K> && bias_kernels<K> &&
    batch_norm_kernels<K> && folded_kernels<K> && loss_kernels<K> && gather_kernels<K> && vector_kernels<K>;

/// Workers, each with kernels of its own; worker 0 is the calling thread's.
///  tasks_per_block:  how many tasks a kernel is given at a time; never depends on the number of workers
///  for_each_block:   body(block, worker) for every block, concurrently, block b on worker b mod workers; then merge(block, worker) on the same worker,
///                    strictly in the order of the blocks, so that sums have the same bits for any number of workers. Where a body or a merge throws,
///                    the merges of the blocks before it run, no later one does, and the exception of the lowest such block is rethrown.
template <class B>
concept execution = requires(B& b, const B& constant, integer i) {
    typename B::scalar;
    typename B::kernels;
    { constant.workers() } -> std::same_as<integer>;
    { b.worker(i) } -> std::same_as<typename B::kernels&>;
    { constant.tasks_per_block(i) } -> std::same_as<integer>;
    b.for_each_block(i, detail::any_block_function{}, detail::any_block_function{});
    { constant.describe() } -> std::convertible_to<std::string>;
};

/// What a solver is given.
template <class B> concept any = execution<B> && kernel_set<typename B::kernels>;

}  // namespace bilevel::backend
