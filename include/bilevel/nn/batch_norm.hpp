// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/autodiff/operation/normalisation.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/core/tuple.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/initialise.hpp>

namespace bilevel::nn {

namespace detail {
/// Mean and variance of channel i mod channels of task i / channels, where its statistics lie.
template <class Scalar> struct recorded_statistics {
    integer channels, variances_from;
    double epsilon;
    Scalar* to;
    integer stride;
    view<Scalar> means, inverse_deviations;
    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        const integer t = i / channels, c = i % channels;
        const Scalar inverse_deviation = inverse_deviations.at(t)[c];
        to[t * stride + c] = means.at(t)[c];
        to[t * stride + variances_from + c] = Scalar(1) / (inverse_deviation * inverse_deviation) - Scalar(epsilon);
    }
};
}  // namespace detail

/// Batch norm over batch and positions, ε = 1e-5 [Ioffe15], and what follows it, in one layer, since each pass over the images costs as much as a
/// convolution: a rectifier with a slope (1: none), and 2 × 2 max pooling. Every derivative goes through the statistics of the batch; evaluation may read
/// running statistics instead. Where the parameters carry a place for statistics, the primal reading leaves the batch's mean and variance there
/// (the biased one, where [Ioffe15] and PyTorch take m/(m − 1) times that of m numbers).
template <class Input, integer SlopeNumerator = 1, integer SlopeDenominator = 1, bool Pooled = false> struct batch_norm {
    static_assert(Input::rank == 3, "bilevel: batch norm reads images: its input is a shape<height, width, channels>");
    static_assert(SlopeNumerator >= 0 && SlopeDenominator > 0, "bilevel: the slope of a leaky ReLU is not negative");
    static_assert(!Pooled || (Input::template extent<0> >= 2 && Input::template extent<1> >= 2),
                  "bilevel: max pooling reads images of at least 2 x 2: a shape<height, width, channels>");
    using input = Input;
    using output = typename operation::detail::normalised_shapes<Input, Pooled>::result;
    using channel = shape<Input::template extent<2>>;
    using parameters = parameter_list<parameter<channel, "gain", "channels", initialise::ones>,
                                      parameter<channel, "shift", "channels", initialise::zeros>>;
    static constexpr const char* name = "batch_norm";
    static constexpr bool output_is_free = SlopeNumerator == SlopeDenominator;  // else its sign is read again
    static constexpr double epsilon = 1e-5;
    static constexpr integer channels = Input::template extent<2>;
    static constexpr integer statistics_size = 2 * padded(channels);  // mean, variance

    template <class E> static auto forward(E& e, auto x, auto p) {
        using scalar = typename E::scalar;
        if constexpr (E::normalises_with == autodiff::normalisation::running) {
            auto [gain, shift] = p.split(parameters{});
            scalar* const statistics = p.statistics;  // none while only counting
            const array<scalar, channel> mean{x.tasks, 1, 0, statistics, p.statistics_stride, nullptr, 0};
            const array<scalar, channel> variance{x.tasks, 1, 0, statistics ? statistics + padded(channels) : nullptr, p.statistics_stride,
                                                  nullptr, 0};
            auto [y, argmax, r] =
                e(operation::batch_norm_with<scalar, Pooled>{scalar(epsilon), slope<scalar>()}, x, gain, shift, mean, variance);
            return forwarded{y, nothing{}};
        } else {
            auto [mean, r] = e(operation::moments<scalar>{scalar(epsilon)}, x);
            return forward_with(e, x, mean, r, p);
        }
    }

    /// With the statistics of the batch, which whoever computed x gave.
    template <class E> static auto forward_with(E& e, auto x, auto mean, auto r, auto p) {
        using scalar = typename E::scalar;
        auto [gain, shift] = p.split(parameters{});
        auto [y, argmax] = e(operation::batch_norm<scalar, Pooled>{slope<scalar>()}, x, mean, r, gain, shift);
        if constexpr (E::is_primal) {
            if (p.statistics) record(e.kernels, p, mean, r);
        }
        return forwarded{y, tuple{x, mean, r, y, argmax}};
    }

    template <class E> static auto backward(E& e, auto saved, auto p, auto g, auto dy) {
        using scalar = typename E::scalar;
        auto [gain, shift] = p.split(parameters{});
        auto [x, mean, r, y, argmax] = saved;
        auto [dgain, dshift] = g.split(parameters{});
        const operation::batch_norm_sums<scalar> sums{slope<scalar>()};
        const operation::batch_norm_backward<scalar> adjoint{slope<scalar>()};
        if constexpr (decltype(dgain)::wanted) {
            e.gradient(tuple{dgain, dshift}, sums, dy, y, argmax, x, mean, r, gain, shift);
            return e.adjoint_of(x, adjoint, dgain, dshift, dy, y, argmax, x, mean, r, gain, shift);
        } else if constexpr (decltype(x)::wanted) {
            auto [sum_of_products, sum] = e(sums, dy, y, argmax, x, mean, r, gain, shift);
            return e.adjoint_of(x, adjoint, sum_of_products, sum, dy, y, argmax, x, mean, r, gain, shift);
        } else {
            return nothing{};
        }
    }

    template <class Scalar> static Scalar slope() { return Scalar(double(SlopeNumerator) / double(SlopeDenominator)); }
    /// Leaves mean and variance where the parameters have a place for them.
    template <class Kernels, class P, class Mean, class R> static void record(Kernels& kernels, const P& p, const Mean& mean, const R& r) {
        using scalar = typename R::scalar;
        kernels.for_each_index(r.tasks * channels, detail::recorded_statistics<scalar>{channels, padded(channels), epsilon, p.statistics,
                                                                                       p.statistics_stride, values_of(mean), values_of(r)});
    }
};

/// Batch norm and max(·, 0).
template <class Input> using batch_norm_relu = batch_norm<Input, 0, 1>;

/// Batch norm, max(·, 0), and the maximum of each 2 × 2 window; an odd last row or column is dropped.    // (h,w,c) -> (h/2,w/2,c)
template <class Input> using batch_norm_relu_max_pool = batch_norm<Input, 0, 1, true>;

}  // namespace bilevel::nn
