// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/positive_in.hpp>
#include <bilevel/core/rows.hpp>
#include <bilevel/problem/binding.hpp>

#include <string>

namespace bilevel::problem {

/// The problem of iMAML [Rajeswaran19]: x pulls the inner solution,  g(x, y) = ℓ(y) + λ/2 ‖y − x‖²,  so that x reaches F through g:
/// ∇²_yy g = ∇²ℓ + λ I  and  ∇ₓ⟨∇_y g, v⟩ = −λ v.  The inner rule starts at x, by which route an implicit hypergradient does not look.
/// Unpulled is any problem that starts at x and whose g does not see it (an `episode`).
template <class Unpulled> struct proximal : Unpulled {
    static_assert(!Unpulled::inner_depends_on_x,
                  "bilevel: problem::proximal adds the pull of x itself: give it a problem whose inner objective does not see x");
    static constexpr bool inner_depends_on_x = true;

    double weight = 1;  // λ

    /// Throws `argument_error` where x would not reach F, or the inner problem had no minimum.
    template <class Scalar> void check_settings() const {
        const Unpulled& unpulled = *this;
        if constexpr (requires { unpulled.template check_settings<Scalar>(); }) unpulled.template check_settings<Scalar>();
        if (!positive_in<Scalar>(weight))
            throw argument_error("proximal: weight (lambda) is " + std::to_string(weight) +
                                 ", expected a positive number of the backend's scalar");
    }

    template <class Kernels> class binding : public Unpulled::template binding<Kernels> {
        using base = typename Unpulled::template binding<Kernels>;

    public:
        using scalar = typename Kernels::scalar;
        using problem = proximal;

        template <class Extents>
        binding(const proximal& p, const Extents& e, const requirements& needs) : base(p, e, needs), weight_(scalar(p.weight)) {}

        /// The losses are those of ℓ, without the pull.
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) {
            const scalar* losses = base::gradient(y, g);
            pull(y, g);
            return losses;
        }
        const scalar* linearize(integer slot, rows<const scalar> y, rows<scalar> g) {
            const scalar* losses = base::linearize(slot, y, g);
            pull(y, g);
            return losses;
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) {
            base::along(slot, v, h);
            this->kernels().add_scaled(h, weight_, v);
        }
        void along(integer slot, rows<const scalar> v, rows<scalar> h, scalar scale, rows<scalar> dx) {
            along(slot, v, h);
            mixed(slot, v, h, scale, dx);
        }
        void mixed(integer, rows<const scalar> v, rows<scalar>, scalar scale, rows<scalar> dx) {
            this->kernels().add_scaled(dx, -scale * weight_, v);
        }

    private:
        void pull(rows<const scalar> y, rows<scalar> g) {
            this->kernels().add_scaled(g, weight_, y);
            this->kernels().add_scaled(g, -weight_, this->x());
        }

        scalar weight_;
    };
};

}  // namespace bilevel::problem
