// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/levels.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>
#include <vector>

namespace bilevel::problem {

/// Hyper-parameter optimisation: x (penalties, sample weights) sits inside g(x, y), y starts at a fixed point; f(x, y) is measured elsewhere
/// (on validation data). x reaches F through g and, where f has `gradient_x`, through f. dim x and dim y are unrelated.
template <class Levels> struct hyperparameter;

template <class Inner, class Outer> struct hyperparameter<levels<Inner, Outer>> : own_problem<levels<Inner, Outer>> {
    static constexpr bool start_depends_on_x = false, inner_depends_on_x = true;
    static constexpr bool outer_depends_on_x = explain::has_gradient_x<Outer, double> || explain::has_gradient_x<Outer, float>;
    static constexpr bool has_inner_level = true, has_second_order = true;
    static constexpr const char* name = "hyperparameter";

    Eigen::VectorXd initial;  // x before the first step
    Eigen::VectorXd initial_inner;  // y₀, where every inner loop begins

    integer inner_size() const { return initial_inner.size(); }
    integer outer_size() const { return initial.size(); }
    integer adapted_size() const { return initial_inner.size(); }
    integer inner_offset() const { return 0; }
    template <class Scalar> void initialise(Scalar* x, Scalar*, std::uint64_t) const {
        for (integer i = 0; i < initial.size(); ++i) x[i] = Scalar(initial[i]);
    }

    /// See problem/binding.hpp.
    template <class Kernels> class binding {
    public:
        using scalar = typename Kernels::scalar;
        using problem = hyperparameter;
        static_assert(explain::hyperparameter_inner<Inner, scalar>::value && explain::hyperparameter_outer<Outer, scalar>::value);

        binding(const hyperparameter& p, const typename hyperparameter::extents& e, const requirements& needs)
            : start_(p.initial_inner), inner_size_(p.inner_size()), outer_size_(p.outer_size()), tasks_(e.tasks),
              losses_(std::size_t(padded(1) * e.tasks)), points_(std::size_t(needs.slots)) {}
        integer tasks() const { return tasks_; }
        integer inner_size() const { return inner_size_; }
        integer outer_size() const { return outer_size_; }

        void bind(Kernels& kernels, std::span<const levels<Inner, Outer>> b, integer first, rows<const scalar> x, rows<scalar>) {
            kernels_ = &kernels;
            batch_ = b.subspan(std::size_t(first), std::size_t(tasks_));
            x_ = x;
        }
        Kernels& kernels() const { return *kernels_; }
        rows<const scalar> x() const { return x_; }

        void start(rows<scalar> y) {
            for (integer t = 0; t < tasks_; ++t) into(y, t) = start_.template cast<scalar>();
        }
        void start_transposed(rows<const scalar>, rows<scalar>) {}
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) {
            for (integer t = 0; t < tasks_; ++t) {
                const auto& inner = batch_[std::size_t(t)].inner;
                losses_[std::size_t(t * padded(1))] = inner.value(at(x_, t), at(y, t));
                into(g, t) = inner.gradient_y(at(x_, t), at(y, t));
            }
            return losses_.data();
        }
        const scalar* linearize(integer slot, rows<const scalar> y, rows<scalar> g) {
            points_[std::size_t(slot)] = y;
            return gradient(y, g);
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) {
            const auto& y = points_[std::size_t(slot)];
            for (integer t = 0; t < tasks_; ++t) into(h, t) = batch_[std::size_t(t)].inner.hessian_vector(at(x_, t), at(y, t), at(v, t));
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h, scalar scale, rows<scalar> dx) {
            along(slot, v, h);
            mixed(slot, v, h, scale, dx);
        }
        void mixed(integer slot, rows<const scalar> v, rows<scalar>, scalar scale, rows<scalar> dx) {
            const auto& y = points_[std::size_t(slot)];
            for (integer t = 0; t < tasks_; ++t)
                into(dx, t) += scale * batch_[std::size_t(t)].inner.mixed_product(at(x_, t), at(y, t), at(v, t));
        }
        void outer(rows<const scalar> y, rows<scalar> f_y, rows<scalar> dx, std::span<task_outcome> outcomes) {
            for (integer t = 0; t < tasks_; ++t) {
                const auto& outer = batch_[std::size_t(t)].outer;
                outcomes[std::size_t(t)].loss = double(outer.value(at(x_, t), at(y, t)));
                into(f_y, t) = outer.gradient_y(at(x_, t), at(y, t));
                if constexpr (explain::has_gradient_x<Outer, scalar>) into(dx, t) += outer.gradient_x(at(x_, t), at(y, t));
            }
        }
        void finish(rows<scalar>) {}

    private:
        static auto at(rows<const scalar> r, integer t) { return as_vector(r.row(t), r.size); }
        static Eigen::Map<column<scalar>> into(rows<scalar> r, integer t) { return {r.row(t), r.size}; }

        Eigen::VectorXd start_;
        integer inner_size_, outer_size_, tasks_;
        std::vector<scalar> losses_;
        std::vector<rows<const scalar>> points_;
        std::span<const levels<Inner, Outer>> batch_{};
        Kernels* kernels_ = nullptr;
        rows<const scalar> x_{};
    };
};

}  // namespace bilevel::problem
