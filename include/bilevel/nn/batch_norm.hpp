// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/autodiff/operation/normalisation.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/initialise.hpp>

#include <tuple>

namespace bilevel::nn {

/// Batch norm over batch and positions, ε = 1e-5 [Ioffe15]. Every derivative goes through the statistics of the batch; evaluation may read running
/// statistics instead. Where the parameters carry a place for statistics, the primal reading leaves the batch's mean and (biased) variance there.
template <class Input> struct batch_norm {
    static_assert(Input::rank == 3, "bilevel: batch norm reads images: its input is a shape<height, width, channels>");
    using input = Input;
    using output = Input;
    using channel = shape<Input::template extent<2>>;
    using parameters = parameter_list<parameter<channel, "gain", "channels", initialise::ones>,
                                      parameter<channel, "shift", "channels", initialise::zeros>>;
    static constexpr const char* name = "batch_norm";
    static constexpr double epsilon = 1e-5;
    static constexpr integer channels = Input::template extent<2>;
    static constexpr integer statistics_size = 2 * padded(channels);  // mean, variance

    template <class E> static auto forward(E& e, auto x, auto p) {
        using scalar = typename E::scalar;
        auto [gain, shift] = p.split(parameters{});
        if constexpr (E::normalises_with == autodiff::normalisation::running) {
            scalar* const statistics = p.statistics;  // none while only counting
            const array<scalar, channel> mean{x.tasks, 1, 0, statistics, p.statistics_stride, nullptr, 0};
            const array<scalar, channel> variance{x.tasks, 1, 0, statistics ? statistics + padded(channels) : nullptr, p.statistics_stride,
                                                  nullptr, 0};
            auto [y, n, r] = e(operation::batch_norm_with<scalar>{scalar(epsilon)}, x, gain, shift, mean, variance);
            return forwarded{y, nothing{}};
        } else {
            auto [y, n, r, mean] = e(operation::batch_norm<scalar>{scalar(epsilon)}, x, gain, shift);
            if constexpr (E::is_primal) {
                if (p.statistics) record(e.kernels, p, mean, r);
            }
            return forwarded{y, std::tuple{x, n, r}};
        }
    }

    static auto backward(auto& e, auto saved, auto p, auto g, auto dy) {
        auto [gain, shift] = p.split(parameters{});
        auto [x, n, r] = saved;
        auto [dgain, dshift] = g.split(parameters{});
        if constexpr (decltype(dgain)::wanted) {
            e.gradient(dshift, operation::channel_sum{}, dy);
            e.gradient(dgain, operation::channel_dot{}, dy, n);
            return e.adjoint_of(x, operation::batch_norm_backward{}, gain, r, dy, dshift, n, dgain);
        } else if constexpr (decltype(x)::wanted) {
            auto sum = e(operation::channel_sum{}, dy);
            auto dot = e(operation::channel_dot{}, dy, n);
            return e.adjoint_of(x, operation::batch_norm_backward{}, gain, r, dy, sum, n, dot);
        } else {
            return nothing{};
        }
    }

private:
    static void record(auto& kernels, const auto& p, const auto& mean, const auto& r) {
        using scalar = typename std::remove_cvref_t<decltype(r)>::scalar;
        kernels.for_each_index(r.tasks * channels, [to = p.statistics, stride = p.statistics_stride, mean, r](integer i) {
            const integer t = i / channels, c = i % channels;
            const scalar inverse_deviation = r.values[t * r.values_stride + c];
            to[t * stride + c] = mean.values[t * mean.values_stride + c];
            to[t * stride + padded(channels) + c] = scalar(1) / (inverse_deviation * inverse_deviation) - scalar(epsilon);
        });
    }
};

}  // namespace bilevel::nn
