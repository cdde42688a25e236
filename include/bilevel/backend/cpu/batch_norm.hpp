// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/batch_norm_passes.hpp>
#include <bilevel/backend/cpu/centred_moments.hpp>
#include <bilevel/backend/cpu/pooled_maximum.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Batch norm with what follows it, in as few passes over the images as there can be: n and z are not stored, but computed again from x wherever they are
/// read; every result is an affine function of the planes with coefficients by channel. See `batch_norm_kernels` in primitives.hpp.
template <class Scalar> class cpu_batch_norm : batch_norm_passes<Scalar> {
public:
    void moments(view<Scalar> mean, view<Scalar> r, view<const Scalar> x, Scalar epsilon) { moments_(*this, mean, r, x, epsilon); }
    void inverse_deviation(view<Scalar> r, view<const Scalar> variance, Scalar epsilon) {
        for (integer t = 0; t < r.tasks; ++t)
            for (integer q = 0; q < r.size; ++q) r.at(t)[q] = inverse_deviation_of(variance.at(t)[q], epsilon);
    }
    void moments_tangent(view<Scalar> dmean, view<Scalar> dr, view<const Scalar> dx, const normalised<Scalar>& of) {
        const integer channels = dr.size, positions = dx.batch * dx.size / channels;
        for (integer t = 0; t < dr.tasks; ++t) {
            const Scalar *const r = of.r.at(t), *const mean = of.mean.at(t);
            sum_blocks(dmean.at(t), dr.at(t), positions, channels,
                       [=, x = of.x.at(t), x_moved = dx.at(t)](Scalar* total, Scalar* dot, integer first, integer count) {
                           const Scalar *const in = x + first * channels, *const moved = x_moved + first * channels;
                           sum(total, count, channels, [=](integer i, integer) { return moved[i]; });
                           sum(dot, count, channels, [=](integer i, integer q) { return moved[i] * (in[i] - mean[q]); });
                       });
            for (integer q = 0; q < channels; ++q) {
                dmean.at(t)[q] /= Scalar(positions);
                dr.at(t)[q] *= -(r[q] * r[q] * r[q]) / Scalar(positions);
            }
        }
    }

    void batch_norm(view<Scalar> y, view<std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        const auto [k] = vectors<1>(of.r.size);
        for (integer t = 0; t < y.tasks; ++t) {
            const Scalar *const mean = of.mean.at(t), *const shift = of.shift.at(t);
            for (integer q = 0; q < of.r.size; ++q) k[q] = of.gain.at(t)[q] * of.r.at(t)[q];
            const Scalar* const x = of.x.at(t);
            Scalar* const out = y.at(t);
            const Scalar slope = follows.slope;  // a slope of 1 needs no case of its own
            const integer images = of.x.batch;
            const auto z = [=, factor = k](auto lane, integer i, integer q) BILEVEL_INLINE_LAMBDA {
                const auto centred = Eigen::internal::psub(lane.get(x + i), lane.get(mean + q));
                return Eigen::internal::pmadd(lane.get(factor + q), centred, lane.get(shift + q));
            };
            if (argmax.size == 0) {
                this->for_each_stretch(images, this->shares(images * y.size),
                                       [=, size = y.size, channels = of.r.size](integer first, integer end) {
                                           for (integer i = first * size; i < end * size; i += channels)
                                               for_each_vector<Scalar>(channels, [=](auto lane, integer q) BILEVEL_INLINE_LAMBDA {
                                                   lane.put(out + i + q, rectified(z(lane, i + q, q), slope));
                                               });
                                       });
            } else {
                std::uint8_t* const position = argmax.at(t);
                const auto pool = [=](integer to, const pooling_window& at, integer channels) {
                    pool_maximum(
                        out + to, position + to, channels,
                        [=](auto lane, int which, integer q) BILEVEL_INLINE_LAMBDA { return z(lane, at[which] + q, q); },
                        [slope](const auto& largest) BILEVEL_INLINE_LAMBDA { return rectified(largest, slope); });
                };
                this->for_each_stretch(images, this->shares(images * of.x.size),
                                       [=, x = of.x](integer first, integer end) { for_each_pooling_window(first, end, y, x, pool); });
            }
        }
    }

    void batch_norm_tangent(view<Scalar> dy, view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                            const normalised<Scalar>& moved, activation<Scalar> follows) {
        // dz = a ẋ + b (x − mean) + c
        const integer channels = of.r.size;
        const auto [a, b, c] = vectors<3>(channels);
        const bool moves = moved.x.size > 0;
        for (integer t = 0; t < dy.tasks; ++t) {
            const Scalar *const r = of.r.at(t), *const gain = of.gain.at(t), *const mean = of.mean.at(t);
            for (integer q = 0; q < channels; ++q) {
                a[q] = gain[q] * r[q];
                b[q] = (moves ? gain[q] * moved.r.at(t)[q] : Scalar(0)) + (moved.gain.size > 0 ? moved.gain.at(t)[q] * r[q] : Scalar(0));
                c[q] = (moved.shift.size > 0 ? moved.shift.at(t)[q] : Scalar(0)) - (moves ? a[q] * moved.mean.at(t)[q] : Scalar(0));
            }
            const Scalar *const x = of.x.at(t), *const dx = moves ? moved.x.at(t) : x;
            if (!moves) std::fill_n(a, channels, Scalar(0));
            for_each_chosen(dy, y, argmax, of.x, t, follows,
                            [=, out = dy.at(t), a = a, b = b, c = c](integer o, integer q, auto get, Scalar slope) {
                                out[o] = slope * (a[q] * get(dx) + b[q] * (get(x) - mean[q]) + c[q]);
                            });
        }
    }

    void batch_norm_sums(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> y,
                         view<const std::uint8_t> argmax, const normalised<Scalar>& of, activation<Scalar> follows) {
        const integer channels = of.r.size;
        for (integer t = 0; t < dgain.tasks; ++t) {
            const Scalar *const in = dy.at(t), *const x = of.x.at(t), *const mean = of.mean.at(t);
            sum_chosen(dgain.at(t), dshift.at(t), dy, y, argmax, of.x, t, follows,
                       [=](integer o, integer q, auto get, Scalar slope, Scalar& to_gain, Scalar& to_shift) {
                           const Scalar dz = slope * in[o];
                           to_gain += dz * (get(x) - mean[q]);
                           to_shift += dz;
                       });
            for (integer q = 0; q < channels; ++q) dgain.at(t)[q] *= of.r.at(t)[q];
        }
    }
    void batch_norm_sums_tangent(view<Scalar> dgain, view<Scalar> dshift, view<const Scalar> dy, view<const Scalar> dy_moved,
                                 view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                 const normalised<Scalar>& moved, activation<Scalar> follows) {
        // d(dgain) = Σ dż n + dz ṅ,  n = r (x − mean),  ṅ = r ẋ + ṙ (x − mean) − r mean̊
        const integer channels = of.r.size;
        const auto [r_moved, constant] = vectors<2>(channels);
        const bool moves = moved.x.size > 0;
        for (integer t = 0; t < dgain.tasks; ++t) {
            const Scalar *const r = of.r.at(t), *const mean = of.mean.at(t), *const x = of.x.at(t);
            const Scalar *const dx = moves ? moved.x.at(t) : x, *const in = dy.at(t), *const in_moved = dy_moved.at(t);
            for (integer q = 0; q < channels; ++q) {
                r_moved[q] = moves ? moved.r.at(t)[q] : Scalar(0);
                constant[q] = moves ? -r[q] * moved.mean.at(t)[q] : Scalar(0);
            }
            const Scalar with_x = moves ? Scalar(1) : Scalar(0);
            sum_chosen(dgain.at(t), dshift.at(t), dy, y, argmax, of.x, t, follows,
                       [=, r_moved = r_moved, constant = constant](integer o, integer q, auto get, Scalar slope, Scalar& to_gain,
                                                                   Scalar& to_shift) {
                           const Scalar centred = get(x) - mean[q], moving = slope * in_moved[o];
                           to_gain +=
                               moving * (r[q] * centred) + slope * in[o] * (with_x * r[q] * get(dx) + r_moved[q] * centred + constant[q]);
                           to_shift += moving;
                       });
        }
    }

    void batch_norm_backward(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dy,
                             view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                             activation<Scalar> follows) {
        using Eigen::internal::pmadd, Eigen::internal::pmul, Eigen::internal::psub;
        // dx = a dz + b (x − mean) + c
        const integer channels = of.r.size;
        const auto [a, b, c] = vectors<3>(channels);
        const Scalar count = Scalar(dx.batch * dx.size / channels);
        for (integer t = 0; t < dx.tasks; ++t) {
            const Scalar *const r = of.r.at(t), *const mean = of.mean.at(t), *const x = of.x.at(t), *const in = dy.at(t);
            for (integer q = 0; q < channels; ++q) {
                a[q] = of.gain.at(t)[q] * r[q];
                b[q] = -a[q] * r[q] * (dgain.at(t)[q] / count);
                c[q] = -a[q] * (dshift.at(t)[q] / count);
            }
            const auto rest = [=, b = b, c = c](auto lane, integer i, integer q) BILEVEL_INLINE_LAMBDA {
                return pmadd(lane.get(b + q), psub(lane.get(x + i), lane.get(mean + q)), lane.get(c + q));
            };
            write_inputs(dx.at(t), dy, y, argmax, of.x, t, follows, rest,
                         [=, a = a](auto lane, integer o, integer q, const auto& slope)
                             BILEVEL_INLINE_LAMBDA { return pmul(lane.get(a + q), pmul(slope, lane.get(in + o))); });
        }
    }
    void batch_norm_backward_tangent(view<Scalar> dx, view<const Scalar> dgain, view<const Scalar> dshift, view<const Scalar> dgain_moved,
                                     view<const Scalar> dshift_moved, view<const Scalar> dy, view<const Scalar> dy_moved,
                                     view<const Scalar> y, view<const std::uint8_t> argmax, const normalised<Scalar>& of,
                                     const normalised<Scalar>& moved, activation<Scalar> follows) {
        using Eigen::internal::pmadd, Eigen::internal::pmul, Eigen::internal::psub;
        // dx = k̇ dz + k dż + b (x − mean) + e ẋ + c,  k = gain r
        const integer channels = of.r.size;
        const auto [k, k_moved, b, c, e] = vectors<5>(channels);
        const Scalar count = Scalar(dx.batch * dx.size / channels);
        const bool moves = moved.x.size > 0;
        for (integer t = 0; t < dx.tasks; ++t) {
            const Scalar *const r = of.r.at(t), *const gain = of.gain.at(t), *const mean = of.mean.at(t), *const x = of.x.at(t);
            for (integer q = 0; q < channels; ++q) {
                const Scalar dot = dgain.at(t)[q] / count, dot_moved = dgain_moved.at(t)[q] / count, sum = dshift.at(t)[q] / count;
                const Scalar r_moved = moves ? moved.r.at(t)[q] : Scalar(0), mean_moved = moves ? moved.mean.at(t)[q] : Scalar(0);
                k[q] = gain[q] * r[q];
                k_moved[q] = gain[q] * r_moved + (moved.gain.size > 0 ? moved.gain.at(t)[q] * r[q] : Scalar(0));
                b[q] = -(k_moved[q] * r[q] + k[q] * r_moved) * dot - k[q] * r[q] * dot_moved;
                e[q] = moves ? -k[q] * r[q] * dot : Scalar(0);
                c[q] = k[q] * r[q] * mean_moved * dot - k_moved[q] * sum - k[q] * (dshift_moved.at(t)[q] / count);
            }
            const Scalar *const dx_of_x = moves ? moved.x.at(t) : x, *const in = dy.at(t), *const in_moved = dy_moved.at(t);
            const auto rest = [=, b = b, c = c, e = e](auto lane, integer i, integer q) BILEVEL_INLINE_LAMBDA {
                const auto of_x = pmadd(lane.get(b + q), psub(lane.get(x + i), lane.get(mean + q)), lane.get(c + q));
                return pmadd(lane.get(e + q), lane.get(dx_of_x + i), of_x);
            };
            write_inputs(dx.at(t), dy, y, argmax, of.x, t, follows, rest,
                         [=, k = k, k_moved = k_moved](auto lane, integer o, integer q, const auto& slope) BILEVEL_INLINE_LAMBDA {
                             return pmul(slope,
                                         pmadd(lane.get(k_moved + q), lane.get(in + o), pmul(lane.get(k + q), lane.get(in_moved + o))));
                         });
        }
    }

private:
    using passes = batch_norm_passes<Scalar>;
    using passes::blocks_of, passes::for_each_block, passes::for_each_chosen, passes::sum_blocks, passes::sum_chosen, passes::write_inputs;

    /// sums[q] = Σ term(element, channel) over the positions.
    template <class Term> static void sum(Scalar* sums, integer positions, integer channels, Term term) {
        by_channel::sum(positions, channels, term, [=](integer q, Scalar total) { sums[q] = total; });
    }

    /// Vectors of one element a channel.
    template <integer Count> std::array<Scalar*, Count> vectors(integer channels) {
        Scalar* const memory = scratch(scratch_, Count * channels);
        std::array<Scalar*, Count> all;
        for (integer i = 0; i < Count; ++i) all[static_cast<std::size_t>(i)] = memory + i * channels;
        return all;
    }

    aligned_vector<Scalar> scratch_;
    moments_of_images<Scalar> moments_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
