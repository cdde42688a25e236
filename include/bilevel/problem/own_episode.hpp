// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/episode.hpp>
#include <bilevel/problem/levels.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>

namespace bilevel::problem {

/// An episode over a user's own objectives: y starts at x, g_i(y) is the inner and f_i(y) the outer objective of task i.
/// Each has value(y) and gradient(y); the inner one hessian_vector(y, v) too, for the policies of second order.
template <class Inner, class Outer> struct episode<levels<Inner, Outer>, adapts::everything> : own_problem<levels<Inner, Outer>> {
    static constexpr bool start_depends_on_x = true, inner_depends_on_x = false;
    static constexpr bool has_inner_level = true;
    template <class Scalar> static constexpr bool outer_depends_on_x = false;
    template <class Scalar> static constexpr bool has_second_order = explain::has_hessian_vector<Inner, Scalar>;

    Eigen::VectorXd initial;  // x before the first step; its size is that of x and of y

    integer inner_size() const { return initial.size(); }
    integer outer_size() const { return initial.size(); }
    integer adapted_size() const { return initial.size(); }
    integer inner_offset() const { return 0; }
    /// Throws `argument_error` where there is no x.
    template <class> void check_settings() const { require_initial("episode: initial", initial, "x before the first step"); }
    template <class Scalar> void initialise(Scalar* x, Scalar*, std::uint64_t) const {
        for (integer i = 0; i < initial.size(); ++i) x[i] = Scalar(initial[i]);
    }

    /// See problem/binding.hpp.
    template <class Kernels> class binding : public own_binding<Kernels, Inner, Outer> {
    public:
        using scalar = typename Kernels::scalar;
        using problem = episode;
        static_assert(explain::episode_objective<Inner, scalar>::value && explain::episode_objective<Outer, scalar>::value);

        binding(const episode& p, const typename episode::extents& e, const requirements& needs)
            : own_binding<Kernels, Inner, Outer>(p.inner_size(), p.outer_size(), e.tasks, needs) {}

        void start(rows<scalar> y) { this->kernels().copy(y, this->x()); }
        void start_transposed(rows<const scalar> v, rows<scalar> dx) { this->kernels().add_scaled(dx, scalar(1), v); }
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) {
            for (integer t = 0; t < this->tasks(); ++t) {
                const Inner& inner = this->inner_of(t);
                this->loss_of(t) = inner.value(this->at(y, t));
                this->put(g, t, "gradient", inner.gradient(this->at(y, t)));
            }
            return this->losses();
        }
        const scalar* linearize(integer slot, rows<const scalar> y, rows<scalar> g) {
            this->point(slot) = y;
            return gradient(y, g);
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) {
            for (integer t = 0; t < this->tasks(); ++t)
                this->put(h, t, "hessian_vector", this->inner_of(t).hessian_vector(this->at(this->point(slot), t), this->at(v, t)));
        }
        void outer(rows<const scalar> y, rows<scalar> f_y, rows<scalar>, std::span<task_outcome> outcomes) {
            for (integer t = 0; t < this->tasks(); ++t) {
                const Outer& outer = this->outer_of(t);
                outcomes[std::size_t(t)].loss = double(outer.value(this->at(y, t)));
                this->put(f_y, t, "gradient", outer.gradient(this->at(y, t)));
            }
        }
    };
};

}  // namespace bilevel::problem
