// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/evaluator.hpp>
#include <bilevel/backend/cost.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/core/rows.hpp>

#include <cmath>

namespace bilevel::nn {

namespace detail {
/// Of the i-th example of all tasks, unless all of its features are zero. They are divided by the largest first, whose square may be no number of the scalar.
template <class Scalar> struct scale_to_unit_length {
    view<Scalar> features;
    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        using std::sqrt;
        Scalar* const v = features.at(i / features.batch, i % features.batch);
        Scalar largest(0);
        for (integer j = 0; j < features.size; ++j) {
            const Scalar size = v[j] < Scalar(0) ? -v[j] : v[j];
            if (!(size <= largest) && largest == largest) largest = size;  // or NaN, which all features become then
        }
        if (largest == Scalar(0)) return;
        Scalar squares(0);
        for (integer j = 0; j < features.size; ++j) {
            v[j] = v[j] / largest;
            squares += v[j] * v[j];
        }
        const Scalar inverse = Scalar(1) / sqrt(squares);
        for (integer j = 0; j < features.size; ++j) v[j] = inverse * v[j];
    }
};
}  // namespace detail

/// The forward program of a network alone: logits, or features, of any number of inputs, with nothing kept for derivatives.
template <class Kernels, class Network> class prediction {
public:
    using scalar = typename Kernels::scalar;

    prediction(integer tasks, integer count, integer outputs, memory& arrays = host_memory())
        : tasks_(tasks), count_(count), outputs_(outputs) {
        backend::cost<scalar> counter;
        workspace counted;
        run<autodiff::normalisation::batch>(counter, counted, nullptr, {}, {}, false);
        workspace running;
        run<autodiff::normalisation::running>(counter, running, nullptr, {}, {}, false);
        values_ = workspace(counted.used() > running.used() ? counted.used() : running.used(), arrays);
    }
    bool fits(integer tasks, integer count, integer outputs) const { return tasks == tasks_ && count == count_ && outputs == outputs_; }

    struct results {
        view<scalar> features;  // (tasks, count, features)
        view<scalar> logits;  // (tasks, count, outputs)
    };

    /// Until the next call. With `unit_features` the head reads features of unit ℓ2 norm (a feature vector of zeros stays).
    results operator()(Kernels& kernels, const scalar* inputs, rows<const scalar> parameters, rows<const scalar> statistics,
                       autodiff::normalisation normalisation, bool unit_features) {
        values_.rewind();
        return normalisation == autodiff::normalisation::batch
                   ? run<autodiff::normalisation::batch>(kernels, values_, inputs, parameters, statistics, unit_features)
                   : run<autodiff::normalisation::running>(kernels, values_, inputs, parameters, statistics, unit_features);
    }

private:
    template <autodiff::normalisation Normalisation, class K>
    results run(K& kernels, workspace& values, const scalar* inputs, rows<const scalar> parameters, rows<const scalar> statistics,
                bool unit_features) const {
        workspace none;
        autodiff::evaluator<autodiff::reading::primal, K, Normalisation> e{kernels, values, none};
        constexpr bool running = Normalisation == autodiff::normalisation::running;
        // Under the statistics of the batch a place for statistics would be written to: it is not given.
        const parameter_vector<scalar, activity::constant> p{const_cast<scalar*>(parameters.data),
                                                             parameters.stride,
                                                             nullptr,
                                                             0,
                                                             tasks_,
                                                             outputs_,
                                                             running ? const_cast<scalar*>(statistics.data) : nullptr,
                                                             statistics.stride};
        const array<scalar, typename Network::input> x{tasks_,  count_, 0, const_cast<scalar*>(inputs), count_ * Network::input::count(),
                                                       nullptr, 0};
        auto features = Network::body::forward(e, x, p).value;
        if (unit_features) kernels.for_each_index(tasks_ * count_, detail::scale_to_unit_length<scalar>{values_of(features)});
        auto logits = Network::head::forward(e, features, p.from(Network::body_size, 0)).value;
        return {values_of(features), values_of(logits)};
    }

    integer tasks_, count_, outputs_;
    workspace values_;
};

}  // namespace bilevel::nn
