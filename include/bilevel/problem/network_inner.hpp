// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/kept_values.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/core/take_rows.hpp>
#include <bilevel/objective/gradient_program.hpp>
#include <bilevel/problem/binding.hpp>

#include <cstddef>
#include <vector>

namespace bilevel::problem {

/// The inner objective of a network on the support set: gradients, and linearizations that keep the values of a whole gradient program, so that
/// each product with the Hessian costs the tangent reading alone.
template <class Kernels, class Network, class Loss> class network_inner {
public:
    using scalar = typename Kernels::scalar;
    using block = objective::examples_block<scalar, typename Loss::template target<scalar>>;

    network_inner() = default;
    network_inner(integer tasks, integer count, integer outputs, const requirements& needs) : slots_(std::size_t(needs.slots)) {
        autodiff::kept_values counted, counted_of_parameters;
        if (needs.second_order) {
            const auto bill =
                linearized::template cost<autodiff::reading::primal, scalar>(tasks, count, outputs, &counted, &counted_of_parameters);
            for (auto& slot : slots_) {
                slot.values = workspace(bill.values, *needs.arrays);
                slot.memory = workspace(bytes_of_gradient(tasks, outputs), *needs.arrays);
                slot.g = take_rows<scalar>(slot.memory, tasks, Network::size(outputs));
            }
            tangents_ = workspace(bill.tangents, *needs.arrays);
            if constexpr (keeps_of_parameters) of_parameters_.values = workspace(counted_of_parameters.values.used(), *needs.arrays);
        } else {
            const auto bill = plain::template cost<autodiff::reading::primal, scalar>(tasks, count, outputs, &counted);
            slots_.front().values = workspace(bill.values, *needs.arrays);
        }
        of_examples_.values = workspace(counted.values.used(), *needs.arrays);
    }

    integer slots() const { return integer(slots_.size()); }
    static std::size_t bytes_of_slot(integer tasks, integer count, integer outputs) {
        autodiff::kept_values counted;
        return linearized::template cost<autodiff::reading::primal, scalar>(tasks, count, outputs, &counted).values +
               bytes_of_gradient(tasks, outputs);
    }

    /// The examples of all that follows.
    void bind(const block& examples) {
        examples_ = examples;
        of_examples_.known = false;
    }

    /// g ← ∇ℓ(y); the losses of the tasks lie `padded(1)` apart. Overwrites slot 0.
    const scalar* gradient(Kernels& kernels, rows<const scalar> y, rows<scalar> g) {
        auto& slot = slots_.front();
        slot.values.rewind();
        return plain::template read<autodiff::reading::primal>(kernels, examples_, {readable(y), g}, slot.values, tangents_, &of_examples_)
            .loss.data;
    }

    /// The same, and the slot keeps the values and the gradient, both of which the products read; y stays where it is, alive and unchanged. What is kept of
    /// the parameters alone is that of one slot, the last one that was read.
    const scalar* linearize(Kernels& kernels, integer number, rows<const scalar> y, rows<scalar> g) {
        auto& slot = slots_[std::size_t(number)];
        slot.values.rewind();
        tangents_.rewind();
        slot.y = readable(y);
        const scalar* losses = linearized::template read<autodiff::reading::primal>(kernels, examples_, {slot.y, slot.g}, slot.values,
                                                                                    tangents_, &of_examples_, of_parameters(number, true))
                                   .loss.data;
        kernels.copy(g, slot.g);
        return losses;
    }

    /// h ← ∇²ℓ(y) v at the point that the slot was linearized at.
    void along(Kernels& kernels, integer number, rows<const scalar> v, rows<scalar> h) {
        auto& slot = slots_[std::size_t(number)];
        slot.values.rewind();
        tangents_.rewind();
        linearized::template read<autodiff::reading::tangent>(kernels, examples_, {slot.y, slot.g, readable(v), h}, slot.values, tangents_,
                                                              &of_examples_, of_parameters(number, false));
    }

private:
    // The gradient alone has no tangents: it shares its instantiation with the outer objective.
    using plain = objective::gradient_program<Network, Loss, activity::adjoint, activity::adjoint>;
    using linearized = objective::gradient_program<Network, Loss>;

    static std::size_t bytes_of_gradient(integer tasks, integer outputs) { return bytes_of_rows<scalar>(1, tasks, Network::size(outputs)); }

    // Other backends compute nothing of the parameters alone.
    static constexpr bool keeps_of_parameters = backend::weight_transforming_kernels<Kernels>;
    autodiff::kept_values* of_parameters(integer slot, bool at_another_point) {
        if constexpr (keeps_of_parameters) {
            of_parameters_.known = of_parameters_.known && !at_another_point && slot == last_read_;  // not after a reading that threw
            last_read_ = slot;
            return &of_parameters_;
        } else {
            return nullptr;
        }
    }

    struct kept {
        workspace values, memory;
        rows<scalar> y{}, g{};
    };
    block examples_{};
    std::vector<kept> slots_;
    workspace tangents_;
    autodiff::kept_values of_examples_, of_parameters_;
    integer last_read_ = -1;
};

}  // namespace bilevel::problem
