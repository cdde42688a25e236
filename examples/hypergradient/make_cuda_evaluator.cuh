// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "hypergradient/make_evaluator.hpp"

#include <bilevel/backend/cuda.cuh>

#include <memory>

namespace exchange {

/// An evaluator with the device that it runs on.
template <class Scalar> class evaluator_on_cuda final : public evaluator<Scalar> {
public:
    using device = bilevel::backend::cuda<Scalar>;
    template <class Make>
    evaluator_on_cuda(const bilevel::backend::cuda_settings& settings, Make make) : device_(settings), on_device_(make(device_)) {}

    void move_to(const bilevel::aligned_vector<Scalar>& parameters) override { on_device_->move_to(parameters); }
    bilevel::episodes_view<Scalar, int> placed(const bilevel::episodes_view<Scalar, int>& batch, integer elements) override {
        auto there = batch;
        if (batch.support.count > 0)
            there.support.inputs = device_.copy_ahead(0, batch.support.inputs, batch.tasks * batch.support.count * elements);
        there.query.inputs = device_.copy_ahead(1, batch.query.inputs, batch.tasks * batch.query.count * elements);
        return there;
    }
    bilevel::hypergradient_view<Scalar> operator()(const bilevel::episodes_view<Scalar, int>& batch) override {
        return (*on_device_)(batch);
    }

private:
    device device_;
    std::unique_ptr<evaluator<Scalar>> on_device_;
};

template <class Network, class Scalar> std::unique_ptr<evaluator<Scalar>> make_cuda_evaluator(const settings& s, integer outputs) {
    using device = bilevel::backend::cuda<Scalar>;
    using bilevel::backend::convolution_products;
    return std::make_unique<evaluator_on_cuda<Scalar>>(
        bilevel::backend::cuda_settings{.convolutions = s.cudnn ? convolution_products::cudnn : convolution_products::tiles,
                                        .arithmetic = s.arithmetic},
        [&](device& on) { return make_evaluator_on<Network>(on, s, outputs); });
}

}  // namespace exchange
