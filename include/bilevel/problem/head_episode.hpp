// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/take_rows.hpp>
#include <bilevel/objective/body_program.hpp>
#include <bilevel/objective/head_program.hpp>
#include <bilevel/problem/episode.hpp>
#include <bilevel/problem/report_query.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace bilevel::problem {

/// The problem of ANIL [Raghu20]: x = (body, start of the head), y = head. The program is cut at the features: the inner steps run on features,
/// the adjoints of the features accumulate over the steps, and the body runs forward once and backward once.
/// x reaches F by the start (the head), by g and by f (the body): a policy that drops the route through g still trains the body by the one through f.
template <class Network, class Loss> struct episode<task<Network, Loss>, adapts::head> : network_problem<task<Network, Loss>> {
    static constexpr bool start_depends_on_x = true, inner_depends_on_x = true;
    static constexpr bool has_inner_level = true;
    template <class> static constexpr bool outer_depends_on_x = true;
    template <class> static constexpr bool has_second_order = true;
    static constexpr integer cut = Network::body_size;

    integer inner_size() const { return Network::head::parameters::size(this->task.outputs); }
    integer inner_offset() const { return cut; }

    /// See problem/binding.hpp.
    template <class Kernels> class binding {
    public:
        using scalar = typename Kernels::scalar;
        using problem = episode;

        binding(const episode& p, const episode_extents& e, const requirements& needs)
            : inner_size_(p.inner_size()), outer_size_(p.outer_size()), extents_(e), needs_(needs),
              support_(e.tasks, e.support, *needs.arrays), slots_(std::size_t(needs.slots)) {
            const integer features = e.support * Network::features::count();
            for (auto& slot : slots_) {
                slot.memory = workspace(bytes_of_rows<scalar>(1, e.tasks, inner_size_), *needs.arrays);
                slot.g = take_rows<scalar>(slot.memory, e.tasks, inner_size_);
                slot.values = workspace(bytes_of_values(e), *needs.arrays);
            }
            if (needs.second_order)
                tangents_ = workspace(moving::template cost<autodiff::reading::tangent, scalar>(e.tasks, e.support, e.outputs).tangents,
                                      *needs.arrays);
            if (!needs.outer) return;
            query_ = objective::body_program<Kernels, Network>(e.tasks, e.query, *needs.arrays);
            outer_values_ = workspace(still::template cost<autodiff::reading::primal, scalar>(e.tasks, e.query, e.outputs).values +
                                          std::size_t(padded(1) * e.tasks) * sizeof(scalar),
                                      *needs.arrays);
            vectors_ = workspace(bytes_of_rows<scalar>(1, e.tasks, features) + bytes_of_rows<scalar>(1, e.tasks, cut), *needs.arrays);
            accumulated_ = take_rows<scalar>(vectors_, e.tasks, features);
            body_gradient_ = take_rows<scalar>(vectors_, e.tasks, cut);
        }
        integer tasks() const { return extents_.tasks; }
        integer inner_size() const { return inner_size_; }
        integer outer_size() const { return outer_size_; }
        integer slots() const { return integer(slots_.size()); }
        static std::size_t bytes_of_slot(const episode& p, const episode_extents& e) {
            return bytes_of_values(e) + bytes_of_rows<scalar>(1, e.tasks, p.inner_size());
        }

        void bind(Kernels& kernels, const typename episode::template batch<scalar>& b, integer first, rows<const scalar> x,
                  rows<scalar> statistics) {
            kernels_ = &kernels;
            x_ = x;
            const auto support = episode::support_block(b, first, extents_.tasks), query = episode::query_block(b, first, extents_.tasks);
            support_labels_ = const_cast<target*>(support.targets);
            query_labels_ = const_cast<target*>(query.targets);
            support_features_ = support_.forward(kernels, extents_.tasks, extents_.support, support.inputs, x, {});
            if (!needs_.outer) return;
            query_features_ = query_.forward(kernels, extents_.tasks, extents_.query, query.inputs, x, statistics);
            kernels.fill(accumulated_, scalar(0));
            moved_ = false;
        }
        Kernels& kernels() const { return *kernels_; }
        rows<const scalar> x() const { return x_; }

        void start(rows<scalar> y) { kernels_->copy(y, x_.part(cut, inner_size_)); }
        void start_transposed(rows<const scalar> v, rows<scalar> dx) { kernels_->add_scaled(dx.part(cut, inner_size_), scalar(1), v); }
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) { return linearize(0, y, g); }
        const scalar* linearize(integer number, rows<const scalar> y, rows<scalar> g) {
            auto& slot = slots_[std::size_t(number)];
            slot.y = readable(y);
            slot.values.rewind();
            tangents_.rewind();
            const scalar* losses =
                moving::template read<autodiff::reading::primal>(*kernels_, support_features_, support_labels_, extents_.outputs,
                                                                 {slot.y, slot.g}, slot.values, tangents_)
                    .loss.data;
            kernels_->copy(g, slot.g);
            return losses;
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) { read_tangent(slot, v, h); }
        /// The part of dx that this adds to is the body's; it waits at the features for `finish`.
        void along(integer slot, rows<const scalar> v, rows<scalar> h, scalar scale, rows<scalar>) {
            const auto mixed = read_tangent(slot, v, h);
            kernels_->add_scaled(accumulated_, scale,
                                 rows<const scalar>{mixed.tangents, mixed.tangents_stride, mixed.tasks, accumulated_.size});
            moved_ = true;
        }
        void mixed(integer slot, rows<const scalar> v, rows<scalar> h, scalar scale, rows<scalar> dx) { along(slot, v, h, scale, dx); }
        void outer(rows<const scalar> y, rows<scalar> f_y, rows<scalar> dx, std::span<task_outcome> outcomes) {
            outer_values_.rewind();
            const auto result = still::template read<autodiff::reading::primal>(*kernels_, query_features_, query_labels_, extents_.outputs,
                                                                                {readable(y), f_y}, outer_values_, none_);
            report_query<Loss>(*kernels_, result, query_labels_, extents_.query, outer_values_, outcomes);
            query_.backward(
                {result.adjoint.values, result.adjoint.values_stride, result.adjoint.tasks, extents_.query * Network::features::count()},
                body_gradient_);
            kernels_->add_scaled(dx.part(0, cut), scalar(1), body_gradient_);
        }
        void finish(rows<scalar> dx) {
            if (!moved_) return;
            support_.backward(accumulated_, body_gradient_);
            kernels_->add_scaled(dx.part(0, cut), scalar(1), body_gradient_);
        }

    private:
        using target = typename Loss::template target<scalar>;
        using moving = objective::head_program<Network, Loss, activity::active>;
        using still = objective::head_program<Network, Loss, activity::adjoint>;

        static std::size_t bytes_of_values(const episode_extents& e) {
            return moving::template cost<autodiff::reading::primal, scalar>(e.tasks, e.support, e.outputs).values;
        }

        auto read_tangent(integer number, rows<const scalar> v, rows<scalar> h) {
            auto& slot = slots_[std::size_t(number)];
            slot.values.rewind();
            tangents_.rewind();
            return moving::template read<autodiff::reading::tangent>(*kernels_, support_features_, support_labels_, extents_.outputs,
                                                                     {slot.y, slot.g, readable(v), h}, slot.values, tangents_)
                .adjoint;
        }

        struct kept {
            workspace values, memory;
            rows<scalar> y{}, g{};
        };
        integer inner_size_, outer_size_;
        episode_extents extents_;
        requirements needs_;
        objective::body_program<Kernels, Network> support_, query_;
        typename moving::template features<scalar> support_features_{}, query_features_{};
        target *support_labels_ = nullptr, *query_labels_ = nullptr;
        Kernels* kernels_ = nullptr;
        rows<const scalar> x_{};
        std::vector<kept> slots_;
        workspace tangents_, outer_values_, vectors_, none_;
        rows<scalar> accumulated_{}, body_gradient_{};
        bool moved_ = false;
    };
};

}  // namespace bilevel::problem
