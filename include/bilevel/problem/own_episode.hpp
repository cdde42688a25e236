// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/episode.hpp>
#include <bilevel/problem/levels.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>
#include <vector>

namespace bilevel::problem {

/// An episode over a user's own objectives: y starts at x, g_i(y) is the inner and f_i(y) the outer objective of task i.
/// Each has value(y) and gradient(y); the inner one hessian_vector(y, v) too, for the policies of second order.
template <class Inner, class Outer> struct episode<levels<Inner, Outer>, adapts::everything> : own_problem<levels<Inner, Outer>> {
    static constexpr bool start_depends_on_x = true, inner_depends_on_x = false, outer_depends_on_x = false;
    static constexpr bool has_inner_level = true;
    static constexpr bool has_second_order = explain::has_hessian_vector<Inner, double> || explain::has_hessian_vector<Inner, float>;
    static constexpr const char* name = "episode";

    Eigen::VectorXd initial;  // x before the first step; its size is that of x and of y

    integer inner_size() const { return initial.size(); }
    integer outer_size() const { return initial.size(); }
    integer adapted_size() const { return initial.size(); }
    integer inner_offset() const { return 0; }
    template <class Scalar> void initialise(Scalar* x, Scalar*, std::uint64_t) const {
        for (integer i = 0; i < initial.size(); ++i) x[i] = Scalar(initial[i]);
    }

    /// See problem/binding.hpp.
    template <class Kernels> class binding {
    public:
        using scalar = typename Kernels::scalar;
        using problem = episode;
        static_assert(explain::episode_objective<Inner, scalar>::value && explain::episode_objective<Outer, scalar>::value);

        binding(const episode& p, const typename episode::extents& e, const requirements& needs)
            : size_(p.inner_size()), tasks_(e.tasks), losses_(std::size_t(padded(1) * e.tasks)), points_(std::size_t(needs.slots)) {}
        integer tasks() const { return tasks_; }
        integer inner_size() const { return size_; }
        integer outer_size() const { return size_; }

        void bind(Kernels& kernels, std::span<const levels<Inner, Outer>> b, integer first, rows<const scalar> x, rows<scalar>) {
            kernels_ = &kernels;
            batch_ = b.subspan(std::size_t(first), std::size_t(tasks_));
            x_ = x;
        }
        Kernels& kernels() const { return *kernels_; }
        rows<const scalar> x() const { return x_; }

        void start(rows<scalar> y) { kernels_->copy(y, x_); }
        void start_transposed(rows<const scalar> v, rows<scalar> dx) { kernels_->add_scaled(dx, scalar(1), v); }
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) {
            for (integer t = 0; t < tasks_; ++t) {
                const auto& inner = batch_[std::size_t(t)].inner;
                losses_[std::size_t(t * padded(1))] = inner.value(at(y, t));
                into(g, t) = inner.gradient(at(y, t));
            }
            return losses_.data();
        }
        const scalar* linearize(integer slot, rows<const scalar> y, rows<scalar> g) {
            points_[std::size_t(slot)] = y;
            return gradient(y, g);
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) {
            for (integer t = 0; t < tasks_; ++t)
                into(h, t) = batch_[std::size_t(t)].inner.hessian_vector(at(points_[std::size_t(slot)], t), at(v, t));
        }
        void outer(rows<const scalar> y, rows<scalar> f_y, rows<scalar>, std::span<task_outcome> outcomes) {
            for (integer t = 0; t < tasks_; ++t) {
                const auto& outer = batch_[std::size_t(t)].outer;
                outcomes[std::size_t(t)].loss = double(outer.value(at(y, t)));
                into(f_y, t) = outer.gradient(at(y, t));
            }
        }
        void finish(rows<scalar>) {}

    private:
        static auto at(rows<const scalar> r, integer t) { return as_vector(r.row(t), r.size); }
        static Eigen::Map<column<scalar>> into(rows<scalar> r, integer t) { return {r.row(t), r.size}; }

        integer size_, tasks_;
        std::vector<scalar> losses_;
        std::vector<rows<const scalar>> points_;
        std::span<const levels<Inner, Outer>> batch_{};
        Kernels* kernels_ = nullptr;
        rows<const scalar> x_{};
    };
};

}  // namespace bilevel::problem
