// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/problem/network_inner.hpp>
#include <bilevel/problem/network_outer.hpp>
#include <bilevel/problem/network_problem.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

namespace bilevel::problem {

/// What the inner level adapts of a network.
enum class adapts { everything, head };

/// The problem of MAML [Finn17]: the inner level starts at x, y₀(x) = x, and descends on the support loss g(y); the outer level is the query loss f(y).
/// x reaches F by the start of the path alone.
template <class Task, adapts Adapts = adapts::everything> struct episode {
    static_assert(
        !std::is_same_v<Task, Task>,
        "bilevel: an algorithm takes a bilevel::task<network, loss>, and problem::episode that or bilevel::levels<inner, outer> of your own "
        "objectives (bilevel/problem/own_episode.hpp)");
};

template <class Network, class Loss> struct episode<task<Network, Loss>, adapts::everything> : network_problem<task<Network, Loss>> {
    static constexpr bool start_depends_on_x = true, inner_depends_on_x = false;
    static constexpr bool has_inner_level = true;
    template <class> static constexpr bool outer_depends_on_x = false;
    template <class> static constexpr bool has_second_order = true;

    integer inner_size() const { return Network::size(this->task.outputs); }
    integer inner_offset() const { return 0; }  // y begins there in the network's vector

    /// See problem/binding.hpp.
    template <class Kernels> class binding {
    public:
        using scalar = typename Kernels::scalar;
        using problem = episode;

        binding(const episode& p, const episode_extents& e, const requirements& needs)
            : size_(p.inner_size()), extents_(e), inner_(e.tasks, e.support, e.outputs, needs) {
            if (needs.outer) outer_ = network_outer<Kernels, Network, Loss>(e.tasks, e.query, e.outputs, *needs.arrays);
        }
        integer tasks() const { return extents_.tasks; }
        integer inner_size() const { return size_; }
        integer outer_size() const { return size_; }
        integer slots() const { return inner_.slots(); }
        static std::size_t bytes_of_slot(const episode&, const episode_extents& e) {
            return network_inner<Kernels, Network, Loss>::bytes_of_slot(e.tasks, e.support, e.outputs);
        }

        void bind(Kernels& kernels, const typename episode::template batch<scalar>& b, integer first, rows<const scalar> x,
                  rows<scalar> statistics) {
            kernels_ = &kernels;
            inner_.bind(episode::support_block(b, first, extents_.tasks));
            query_ = episode::query_block(b, first, extents_.tasks);
            x_ = x;
            statistics_ = statistics;
        }
        Kernels& kernels() const { return *kernels_; }
        rows<const scalar> x() const { return x_; }

        void start(rows<scalar> y) { kernels_->copy(y, x_); }
        void start_transposed(rows<const scalar> v, rows<scalar> dx) { kernels_->add_scaled(dx, scalar(1), v); }
        const scalar* gradient(rows<const scalar> y, rows<scalar> g) { return inner_.gradient(*kernels_, y, g); }
        const scalar* linearize(integer slot, rows<const scalar> y, rows<scalar> g) { return inner_.linearize(*kernels_, slot, y, g); }
        void along(integer slot, rows<const scalar> v, rows<scalar> h) { inner_.along(*kernels_, slot, v, h); }
        void outer(rows<const scalar> y, rows<scalar> f_y, rows<scalar>, std::span<task_outcome> outcomes) {
            outer_.evaluate(*kernels_, query_, y, f_y, statistics_, outcomes);
        }
        void finish(rows<scalar>) {}

    private:
        integer size_;
        episode_extents extents_;
        Kernels* kernels_ = nullptr;
        objective::examples_block<scalar, typename Loss::template target<scalar>> query_{};
        rows<const scalar> x_{};
        rows<scalar> statistics_{};
        network_inner<Kernels, Network, Loss> inner_;
        network_outer<Kernels, Network, Loss> outer_;
    };
};

}  // namespace bilevel::problem
