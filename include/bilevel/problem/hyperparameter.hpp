// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/problem/binding.hpp>
#include <bilevel/problem/levels.hpp>
#include <bilevel/problem/outcome.hpp>

#include <span>

namespace bilevel::problem {

/// Hyper-parameter optimisation: x (penalties, sample weights) sits inside g(x, y), y starts at a fixed point; f(x, y) is measured elsewhere
/// (on validation data). x reaches F through g and, where f has `gradient_x`, through f. dim x and dim y are unrelated.
template <class Levels> struct hyperparameter;

template <class Inner, class Outer> struct hyperparameter<levels<Inner, Outer>> : own_problem<levels<Inner, Outer>> {
    static constexpr bool start_depends_on_x = false, inner_depends_on_x = true;
    static constexpr bool has_inner_level = true;
    template <class Scalar> static constexpr bool outer_depends_on_x = explain::has_gradient_x<Outer, Scalar>;
    template <class Scalar> static constexpr bool has_second_order = true;

    Eigen::VectorXd initial;  // x before the first step
    Eigen::VectorXd initial_inner;  // y₀, where every inner loop begins

    integer inner_size() const { return initial_inner.size(); }
    integer outer_size() const { return initial.size(); }
    integer adapted_size() const { return initial_inner.size(); }
    integer inner_offset() const { return 0; }
    /// Throws `argument_error` where there is no x, or no y₀.
    template <class> void check_settings() const {
        require_initial("hyperparameter: initial", initial, "x before the first step");
        require_initial("hyperparameter: initial_inner", initial_inner, "y where every inner loop begins");
    }
    template <class Scalar> void initialise(Scalar* x, Scalar*, std::uint64_t) const {
        for (integer i = 0; i < initial.size(); ++i) x[i] = Scalar(initial[i]);
    }

    /// See problem/binding.hpp.
    template <class Kernels> class binding : public own_binding<Kernels, Inner, Outer> {
    public:
        using scalar = typename Kernels::scalar;
        using problem = hyperparameter;
        static_assert(explain::hyperparameter_inner<Inner, scalar>::value && explain::hyperparameter_outer<Outer, scalar>::value);

        binding(const hyperparameter& p, const typename hyperparameter::extents& e, const requirements& needs)
            : own_binding<Kernels, Inner, Outer>(p.inner_size(), p.outer_size(), e.tasks, needs), start_(p.initial_inner) {}

        void start(rows<scalar> y) {
            for (integer t = 0; t < this->tasks(); ++t) this->into(y, t) = start_.template cast<scalar>();
        }
        void start_transposed(rows<const scalar>, rows<scalar>) {}
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) {
            for (integer t = 0; t < this->tasks(); ++t) {
                const Inner& inner = this->inner_of(t);
                this->loss_of(t) = inner.value(x_of(t), this->at(y, t));
                this->put(g, t, "gradient_y", inner.gradient_y(x_of(t), this->at(y, t)));
            }
            return this->losses();
        }
        const scalar* linearize(integer slot, rows<const scalar> y, rows<scalar> g) {
            this->point(slot) = y;
            return gradient(y, g);
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) {
            const auto& y = this->point(slot);
            for (integer t = 0; t < this->tasks(); ++t)
                this->put(h, t, "hessian_vector", this->inner_of(t).hessian_vector(x_of(t), this->at(y, t), this->at(v, t)));
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h, scalar scale, rows<scalar> dx) {
            along(slot, v, h);
            mixed(slot, v, h, scale, dx);
        }
        void mixed(integer slot, rows<const scalar> v, rows<scalar>, scalar scale, rows<scalar> dx) {
            const auto& y = this->point(slot);
            for (integer t = 0; t < this->tasks(); ++t)
                this->add(dx, t, scale, "mixed_product", this->inner_of(t).mixed_product(x_of(t), this->at(y, t), this->at(v, t)));
        }
        void outer(rows<const scalar> y, rows<scalar> f_y, rows<scalar> dx, std::span<task_outcome> outcomes) {
            for (integer t = 0; t < this->tasks(); ++t) {
                const Outer& outer = this->outer_of(t);
                outcomes[std::size_t(t)].loss = double(outer.value(x_of(t), this->at(y, t)));
                this->put(f_y, t, "gradient_y", outer.gradient_y(x_of(t), this->at(y, t)));
                if constexpr (explain::has_gradient_x<Outer, scalar>)
                    this->add(dx, t, scalar(1), "gradient_x", outer.gradient_x(x_of(t), this->at(y, t)));
            }
        }

    private:
        auto x_of(integer t) const { return this->at(this->x(), t); }

        Eigen::VectorXd start_;
    };
};

}  // namespace bilevel::problem
