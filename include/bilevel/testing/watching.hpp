// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_geometry.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/backend/single_worker.hpp>
#include <bilevel/core/array.hpp>

#include <cstdint>
#include <string>

namespace bilevel::testing {

/// Kernels that watch which branch every rectifier and every maximum takes. A network with ReLU or max pooling is differentiable between its
/// switches alone: a central difference of it counts only where the pattern is the same at p − h u, p and p + h u.
/// Is also a backend, of which it is the only worker.
template <class Kernels> struct watching : Kernels, backend::single_worker<watching<Kernels>> {
    using scalar = typename Kernels::scalar;
    using kernels = watching;
    using Kernels::Kernels;
    using execution = backend::single_worker<watching>;  // before that of the kernels, which may have their own
    using execution::for_each_block;
    using execution::tasks_per_block;
    using execution::worker;
    using execution::workers;

    std::uint64_t pattern = first_pattern;  // a hash of all branches since `forget`
    std::uint64_t branches = 0;  // how many there were

    void forget() {
        pattern = first_pattern;
        branches = 0;
    }

    void rectify(view<scalar> y, view<const scalar> x, scalar slope) {
        for_each_element(x, [this](const scalar& element) { see(element > scalar(0) ? 1u : 0u); });
        Kernels::rectify(y, x, slope);
    }
    void max_pool(view<scalar> y, view<std::uint8_t> argmax, view<const scalar> x) {
        Kernels::max_pool(y, argmax, x);
        for_each_element(view<const std::uint8_t>(argmax), [this](std::uint8_t position) { see(position); });
    }

    /// Where y comes from, and its sign; a linear activation has no branch.
    void batch_norm(view<scalar> y, view<std::uint8_t> argmax, const backend::normalised<scalar>& of, backend::activation<scalar> follows) {
        Kernels::batch_norm(y, argmax, of, follows);
        see_all(y, argmax, follows);
    }
    void conv2d_activation(view<scalar> y, view<std::uint8_t> argmax, view<const scalar> x, view<const scalar> weights,
                           view<const scalar> bias, backend::convolution_geometry geometry, backend::activation<scalar> follows) {
        Kernels::conv2d_activation(y, argmax, x, weights, bias, geometry, follows);
        see_all(y, argmax, follows);
    }

    std::string describe() const { return "watching, 1 thread"; }

private:
    static constexpr std::uint64_t first_pattern = 1469598103934665603u;  // FNV-1a
    void see(unsigned branch) {
        pattern = (pattern ^ branch) * 1099511628211u;
        ++branches;
    }
    void see_all(view<const scalar> y, view<const std::uint8_t> argmax, backend::activation<scalar> follows) {
        for_each_element(argmax, [this](std::uint8_t at) { see(at); });
        if (!follows.is_linear()) for_each_element(y, [this](const scalar& element) { see(element > scalar(0) ? 1u : 0u); });
    }
    template <class Element, class F> static void for_each_element(view<const Element> x, F f) {
        for (integer t = 0; t < x.tasks; ++t)
            for (integer i = 0; i < x.batch * x.size; ++i) f(x.at(t)[i]);
    }
};

}  // namespace bilevel::testing
