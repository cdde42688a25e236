// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/gather.hpp>
#include <bilevel/autodiff/operation/matrix.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/nn/initialise.hpp>
#include <bilevel/objective/body_program.hpp>
#include <bilevel/objective/logistic_regression.hpp>
#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/network_problem.hpp>
#include <bilevel/problem/report_query.hpp>

#include <span>
#include <type_traits>

namespace bilevel::problem {

/// The problem of multi-task learning as in [Wang21]: x = (body, a head with one row a *training class*), nothing to solve inside. A task takes the
/// rows of its classes, and its loss is the cross-entropy over those alone, on the query set (a training task is not split).    // head (classes, features)
template <class Task> struct shared_body {
    static_assert(!std::is_same_v<Task, Task>, "bilevel: an algorithm takes a bilevel::task<network, loss>");
};

template <class Network, class Loss> struct shared_body<task<Network, Loss>> : network_problem<task<Network, Loss>> {
    static_assert(
        Loss::is_classification,
        "bilevel: problem::shared_body has a head with one row a class: it needs a classification loss, objective::cross_entropy");
    static constexpr bool start_depends_on_x = false, inner_depends_on_x = false;
    static constexpr bool has_inner_level = false;
    template <class> static constexpr bool outer_depends_on_x = true;
    template <class> static constexpr bool has_second_order = false;
    static constexpr integer cut = Network::body_size, features = Network::features::count();

    integer classes = 0;  // training classes: rows of the head
    objective::logistic_regression regression{};  // the head of an unseen task

    integer inner_size() const { return 0; }
    integer head_size() const { return padded(classes * features); }
    integer outer_size() const { return cut + head_size(); }

    template <class Scalar> void initialise(Scalar* x, Scalar* statistics, std::uint64_t seed) const {
        if (classes < 1)
            throw argument_error("shared_body: classes is " + std::to_string(classes) + ", expected the number of training classes");
        this->require_outputs();
        Network::initialise_body(x, seed);
        random::generator generator(seed, std::uint64_t(random::purpose::initialisation), 1u << 20);
        for (integer i = 0; i < head_size(); ++i)
            x[cut + i] = i < classes * features ? Scalar(nn::initialise::lecun::value(generator, features)) : Scalar(0);
        Network::initialise_statistics(statistics);
    }
    template <class Scalar> void check(const typename shared_body::template batch<Scalar>& b, bool training) const {
        network_problem<task<Network, Loss>>::template check<Scalar>(b, training, !training);
        if (!training) return;
        if (b.classes == nullptr) throw argument_error("batch: it has no class ids, which the class-wise head of mtl is indexed by");
        for (integer i = 0; i < b.tasks * b.outputs; ++i) {
            if (b.classes[i] < 0 || b.classes[i] >= classes)
                throw argument_error("batch: class id " + std::to_string(b.classes[i]) + " of task " + std::to_string(i / b.outputs) +
                                     " is not in 0 ... " + std::to_string(classes - 1) + " (the training classes that mtl was made for)");
        }
    }

    /// See problem/binding.hpp.
    template <class Kernels> class binding {
    public:
        using scalar = typename Kernels::scalar;
        using problem = shared_body;

        binding(const shared_body& p, const episode_extents& e, const requirements& needs)
            : classes_(p.classes), outer_size_(p.outer_size()), extents_(e), body_(e.tasks, e.query, *needs.arrays) {
            backend::cost<scalar> counter;
            workspace counted;
            const handle nothing_there{e.tasks, e.query, 0, nullptr, 0, nullptr, 0};
            head(counter, counted, nothing_there, nullptr, nullptr, {}, {});
            values_ = workspace(counted.used() + std::size_t(padded(1) * e.tasks) * sizeof(scalar), *needs.arrays);
            vectors_ = workspace(bytes_of_rows<scalar>(1, e.tasks, cut), *needs.arrays);
            gradient_ = take_rows<scalar>(vectors_, e.tasks, cut);
        }
        integer tasks() const { return extents_.tasks; }
        integer inner_size() const { return 0; }
        integer outer_size() const { return outer_size_; }
        integer slots() const { return 0; }
        static std::size_t bytes_of_slot(const shared_body&, const episode_extents&) { return 0; }

        void bind(Kernels& kernels, const typename shared_body::template batch<scalar>& b, integer first, rows<const scalar> x,
                  rows<scalar> statistics) {
            kernels_ = &kernels;
            x_ = x;
            statistics_ = statistics;
            query_ = shared_body::query_block(b, first, extents_.tasks);
            ids_ = const_cast<int*>(b.classes + first * b.outputs);
        }
        Kernels& kernels() const { return *kernels_; }
        rows<const scalar> x() const { return x_; }

        void start(rows<scalar>) {}
        void start_transposed(rows<const scalar>, rows<scalar>) {}
        const scalar* gradient(rows<const scalar>, rows<scalar>) { return nullptr; }
        void outer(rows<const scalar>, rows<scalar>, rows<scalar> dx, std::span<task_outcome> outcomes) {
            values_.rewind();
            const auto features_of = body_.forward(*kernels_, extents_.tasks, extents_.query, query_.inputs, x_, statistics_);
            const auto result = head(*kernels_, values_, features_of, const_cast<int*>(query_.targets), ids_,
                                     x_.part(cut, outer_size_ - cut), dx.part(cut, outer_size_ - cut));
            report_query<Loss>(*kernels_, result, query_.targets, extents_.query, values_, outcomes);
            body_.backward({result.adjoint.values, result.adjoint.values_stride, extents_.tasks, extents_.query * features}, gradient_);
            kernels_->add_scaled(dx.part(0, cut), scalar(1), gradient_);
        }
        void finish(rows<scalar>) {}

    private:
        using handle = array<scalar, typename Network::features, activity::adjoint>;
        struct results {
            view<scalar> loss, logits;
            array<scalar, typename Network::features> adjoint;
        };

        // The part behind the features, for the kernels that compute and for those that count.
        template <class K>
        results head(K& kernels, workspace& values, const handle& x, int* labels, int* ids, rows<const scalar> weights,
                     rows<scalar> gradient) const {
            workspace none;
            autodiff::evaluator<autodiff::reading::primal, K> e{kernels, values, none};
            const integer tasks = x.tasks, ways = extents_.outputs;
            const array<int, shape<1>> rows_of_task{tasks, ways, 0, ids, ways, nullptr, 0};
            const array<scalar, shape<dynamic, features>, activity::adjoint> matrix{
                tasks, 1, classes_, const_cast<scalar*>(weights.data), weights.stride, nullptr, 0};
            auto w = e(operation::gather_classes{}, matrix, rows_of_task);
            auto z = e(operation::matmul{}, x, w);
            const auto targets = Loss::targets(labels, tasks, x.batch, ways);
            auto [loss, p] = Loss::forward(e, z, targets);
            auto dz = Loss::backward(e, p, targets);
            auto dw = e(operation::matmul_backward_weights{}, x, dz);
            auto dx = e(operation::matmul_backward_data<typename Network::features>{}, dz, w);
            const array<scalar, shape<dynamic, features>> dmatrix{tasks, 1, classes_, gradient.data, gradient.stride, nullptr, 0};
            kernels.scatter_classes(values_of(dmatrix), values_of(dw), values_of(rows_of_task));
            return {values_of(loss), values_of(z), dx};
        }

        integer classes_, outer_size_;
        episode_extents extents_;
        objective::body_program<Kernels, Network> body_;
        workspace values_, vectors_;
        rows<scalar> gradient_{};
        Kernels* kernels_ = nullptr;
        rows<const scalar> x_{};
        rows<scalar> statistics_{};
        objective::examples_block<scalar, int> query_{};
        int* ids_ = nullptr;
    };
};

}  // namespace bilevel::problem
