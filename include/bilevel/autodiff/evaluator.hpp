// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/kept_values.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/tuple.hpp>
#include <bilevel/core/workspace.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace bilevel::autodiff {

/// How an evaluator reads a program: on the values, or on their derivatives along a direction.
enum class reading { primal, tangent };

/// What batch norm normalises with: the statistics of the batch at hand (transductive where that batch is the query set), or running ones.
enum class normalisation { batch, running };

/// Reads a program of array primitives. The **primal** reading runs each primitive on the values. The **tangent** reading runs the same program again
/// over the same workspace, finds each value at the address where the primal reading left it, and runs each primitive's tangent rule: of a gradient
/// program it is the derivative of the loss and of its gradient along a direction, forward over reverse [Pearlmutter94].
///
/// A primitive is a type with  result(in…), the handles of its outputs, without memory;  primal(kernels, out…, in…);  tangent(kernels, out…, in…).
template <reading Reading, class Kernels, normalisation Normalisation = normalisation::batch> struct evaluator {
    using scalar = typename Kernels::scalar;
    static constexpr bool is_primal = Reading == reading::primal;
    static constexpr normalisation normalises_with = Normalisation;

    Kernels& kernels;
    workspace& values;
    workspace& tangents;
    kept_values* of_constants = nullptr;  // or none are kept
    kept_values* of_parameters = nullptr;

    /// The result or results of a primitive, in fresh memory.
    template <class Primitive, class... In> auto operator()(Primitive primitive, In... in) {
        auto out = place(primitive.result(in...), values);
        run(primitive, tuple{out}, in...);
        return out;
    }

    /// The same of constants alone, which need not be computed twice.
    template <class Primitive, class... In> auto once(Primitive primitive, In... in) {
        static_assert(((In::act == activity::constant) && ...), "bilevel: what is computed once is of constants alone");
        if (of_constants == nullptr) return (*this)(primitive, in...);
        auto out = place(primitive.result(in...), of_constants->values);
        if (!of_constants->known) run(primitive, tuple{out}, in...);
        return out;
    }

    /// What a primitive computes of parameters alone, for the readings at this point; without memory, and not computed, where nothing is kept of them. Both
    /// readings read its values; it has no tangent.
    template <class Primitive, class... In> auto kept(Primitive primitive, In... in) {
        auto out = primitive.result(in...);
        static_assert(decltype(out)::act == activity::constant);
        if (of_parameters != nullptr) {
            out = place(out, of_parameters->values);
            if (!of_parameters->known) primitive.primal(kernels, out, in...);
        }
        return out;
    }

    /// The gradients of parameter arrays, written into their slices; nothing where nobody wants them. A primitive gives all of its gradients or none.
    template <class Gradients, class Primitive, class... In> void gradient(Gradients g, Primitive primitive, In... in) {
        using slices = decltype(tuple{g});
        if constexpr (wanted(std::type_identity<slices>{})) {
            static_assert(fit(std::type_identity<slices>{}, std::type_identity<decltype(tuple{primitive.result(in...)})>{}),
                          "bilevel: the gradient varies: its slice needs a tangent plane");
            run(primitive, tuple{g}, in...);
        }
    }

    /// Runs a primitive that changes `to` where it lies, and gives it back. Nobody else may read `to`: neither a tangent rule nor a `backward`.
    template <class To, class Primitive, class... In> To onto(To to, Primitive primitive, In... in) {
        static_assert(((To::act | In::act) | ...) == To::act,
                      "bilevel: what is put onto an array moves or is wanted, and the array is not");
        run(primitive, tuple{to}, in...);
        return to;
    }

    /// The adjoint of x, or `nothing` where nobody wants it.
    template <class X, class Primitive, class... In> auto adjoint_of(X, Primitive primitive, In... in) {
        if constexpr (X::wanted) {
            auto dx = (*this)(primitive, in...);
            static_assert(require_shape<expected<typename X::shape>, given<typename decltype(dx)::shape>>::value);
            return dx;
        } else {
            return nothing{};
        }
    }

private:
    template <class... Gradients> static constexpr bool wanted(std::type_identity<tuple<Gradients...>>) {
        static_assert((Gradients::wanted && ...) || (!Gradients::wanted && ...), "bilevel: a primitive gives all of its gradients or none");
        return (Gradients::wanted && ...);
    }

    // The shapes are those of the slices, and what varies has a tangent plane there.
    template <class... Gradients, class... Results>
    static constexpr bool fit(std::type_identity<tuple<Gradients...>>, std::type_identity<tuple<Results...>>) {
        static_assert((require_shape<expected<typename Gradients::shape>, given<typename Results::shape>>::value && ...));
        return ((Gradients::varies || !Results::varies) && ...);
    }

    template <class Scalar, class Shape, activity Activity> auto place(array<Scalar, Shape, Activity> a, workspace& from) {
        const integer stride = padded(a.per_task());
        a.values = from.template take<Scalar>(stride * a.tasks);
        a.values_stride = stride;
        if constexpr (decltype(a)::varies) {
            a.tangents = tangents.template take<Scalar>(stride * a.tasks);
            a.tangents_stride = stride;
        }
        return a;
    }
    // Both are a part of their caller even where nothing is optimised: the compiler has that many functions less for each primitive and its arrays.
    template <std::size_t... I, class... Arrays>
    [[gnu::always_inline]] tuple<Arrays...> place(const detail::tuple_members<std::index_sequence<I...>, Arrays...>& arrays,
                                                  workspace& from) {
        // A braced list is evaluated from left to right: both readings hand out the same addresses.
        return tuple<Arrays...>{place(get<I>(arrays), from)...};
    }
    template <class Primitive, std::size_t... I, class... Out, class... In>
    [[gnu::always_inline]] void run(Primitive& primitive, const detail::tuple_members<std::index_sequence<I...>, Out...>& out, In&... in) {
        if constexpr (is_primal) {
            primitive.primal(kernels, get<I>(out)..., in...);
        } else if constexpr ((Out::varies || ...)) {
            primitive.tangent(kernels, get<I>(out)..., in...);
        }
    }
};

}  // namespace bilevel::autodiff
