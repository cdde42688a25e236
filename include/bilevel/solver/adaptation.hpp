// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/hypergradient/inner_loop.hpp>
#include <bilevel/nn/prediction.hpp>
#include <bilevel/objective/logistic_regression.hpp>
#include <bilevel/problem/binding.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bilevel::detail {

/// Adapts to the support sets of a block of tasks by the inner rule from y₀(x); gives whole networks, in memory that the host shares: x with y in its
/// place.
template <class Kernels, class Problem> class adaptation {
public:
    using scalar = typename Kernels::scalar;

    adaptation(const Problem& p, const typename Problem::extents& extents, memory& arrays)
        : extents_(extents), binding_(p, extents, {1, false, false, &arrays}) {
        memory_ = workspace(bytes_of_rows<scalar>(2, binding_.tasks(), binding_.inner_size()), arrays);
        y_ = take_rows<scalar>(memory_, binding_.tasks(), binding_.inner_size());
        g_ = take_rows<scalar>(memory_, binding_.tasks(), binding_.inner_size());
    }
    bool fits(const typename Problem::extents& extents) const { return extents == extents_; }

    template <class Batch, class Rule>
    void run(Kernels& kernels, const Problem& p, const Batch& batch, integer first, rows<const scalar> x, rows<const scalar>,
             autodiff::normalisation, const Rule& rule, rows<scalar> adapted, std::span<task_outcome> outcomes) {
        binding_.bind(kernels, batch, first, x, {});
        hypergradient::descend(binding_, rule, y_, g_, outcomes);
        if (adapted.size == x.size) kernels.copy(adapted, x);
        kernels.copy(adapted.part(p.inner_offset(), y_.size), y_);
    }

private:
    typename Problem::extents extents_;
    typename Problem::template binding<Kernels> binding_;
    workspace memory_;
    rows<scalar> y_{}, g_{};
};

/// For a problem without inner level (multi-task learning): the body stays as it is, and the head of each task is an ℓ2-regularised logistic
/// regression on its support set's ℓ2-normalised features.
template <class Kernels, class Problem>
    requires(!Problem::has_inner_level)
class adaptation<Kernels, Problem> {
public:
    using scalar = typename Kernels::scalar;
    using network = typename Problem::network;

    adaptation(const Problem&, const typename Problem::extents& e, memory& arrays)
        : extents_(e), features_(e.tasks, e.support, e.outputs, arrays),
          on_host_(std::size_t(e.tasks * e.support * network::features::count())), labels_(std::size_t(e.tasks * e.support)) {}
    bool fits(const typename Problem::extents& extents) const { return extents == extents_; }

    template <class Batch, class Rule>
    void run(Kernels& kernels, const Problem& p, const Batch& batch, integer first, rows<const scalar> x, rows<const scalar> statistics,
             autodiff::normalisation normalisation, const Rule&, rows<scalar> adapted, std::span<task_outcome> outcomes) {
        constexpr integer cut = network::body_size, width = network::features::count();
        const auto support = Problem::support_block(batch, first, extents_.tasks);
        kernels.copy(adapted.part(0, cut), x.part(0, cut));
        kernels.fill(adapted.part(cut, adapted.size - cut), scalar(0));
        const auto features = features_(kernels, support.inputs, adapted, statistics, normalisation, true).features;
        const integer of_task = extents_.support * width;
        for (integer t = 0; t < extents_.tasks; ++t)
            kernels.download(on_host_.data() + t * of_task, static_cast<const scalar*>(features.at(t)), of_task);
        kernels.download(labels_.data(), support.targets, extents_.tasks * extents_.support);
        for (integer t = 0; t < extents_.tasks; ++t) {
            using regression = objective::logistic_regression;
            const regression::matrix z = Eigen::Map<const Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                                             on_host_.data() + t * of_task, extents_.support, width)
                                             .template cast<double>();
            const std::vector<int> labels(labels_.begin() + t * extents_.support, labels_.begin() + (t + 1) * extents_.support);
            const auto head = p.regression(z, labels, extents_.outputs);
            if (!std::isfinite(head.value)) outcomes[std::size_t(t)] = {.first_inner_loss = head.value, .failed_step = 0};
            scalar* to = adapted.row(t) + cut;
            for (integer i = 0; i < width * extents_.outputs; ++i) to[i] = scalar(head.weights.data()[i]);
            to += padded(width * extents_.outputs);
            for (integer i = 0; i < extents_.outputs; ++i) to[i] = scalar(head.bias[i]);
        }
    }

private:
    typename Problem::extents extents_;
    nn::prediction<Kernels, network> features_;
    std::vector<scalar> on_host_;
    std::vector<int> labels_;
};

}  // namespace bilevel::detail
