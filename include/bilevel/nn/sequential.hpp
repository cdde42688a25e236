// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/folded_block.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/normalised_convolution.hpp>

#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bilevel::nn {

namespace detail {
template <class Layer> constexpr integer statistics_size() {
    if constexpr (requires { Layer::statistics_size; }) {
        return Layer::statistics_size;
    } else {
        return 0;
    }
}

/// What a layer, or two that are read as one, saved, and what those behind did. (Every type that the compiler must name costs: a tuple of them all would be
/// named at every layer.)
template <class Layer, std::size_t Layers, class First, class Rest> struct saved_by {
    using layer = Layer;
    static constexpr std::size_t layers = Layers;
    First first;
    Rest rest;
};

/// What two layers, one behind the other, are read as: a convolution and its batch norm as one block, folded where x is a constant.
enum class joining { none, folded, normalised };
template <class E, class X, class First, class Second> constexpr joining join_layers() {
    if constexpr (E::normalises_with == autodiff::normalisation::batch && requires { folded_block<First, Second>::pays; }) {
        return X::act == activity::constant && folded_block<First, Second>::pays ? joining::folded : joining::normalised;
    } else {
        return joining::none;
    }
}

/// Whether a layer says that nobody reads its output again, neither its `backward` nor one of its tangent rules: then others may add to it in place.
template <class Layer> constexpr bool output_is_free() {
    if constexpr (requires { Layer::output_is_free; }) {
        return Layer::output_is_free;
    } else {
        return false;
    }
}

/// visit(std::type_identity<L>, name)  for a layer, or for each layer in it.
template <class Layer, class Visit> void visit_layers(const std::string& name, Visit& visit) {
    if constexpr (requires { Layer::visit_layers(name, visit); }) {
        Layer::visit_layers(name + ".", visit);
    } else {
        visit(std::type_identity<Layer>{}, name);
    }
}
}  // namespace detail

/// Layers one after another; itself a layer. The shapes must fit, or the program does not compile and names both.
template <class... Layers> struct sequential {
    static constexpr std::size_t depth = sizeof...(Layers);
    static_assert(depth > 0, "bilevel: a sequential has at least one layer");
    template <std::size_t I> using layer = std::tuple_element_t<I, std::tuple<Layers...>>;
    using input = typename layer<0>::input;
    using output = typename layer<depth - 1>::output;
    struct parameters {
        static constexpr integer size(integer width = 0) { return (Layers::parameters::size(width) + ... + integer{0}); }
        static constexpr integer count(integer width = 0) { return (Layers::parameters::count(width) + ... + integer{0}); }
    };
    static constexpr integer statistics_size = (detail::statistics_size<Layers>() + ... + integer{0});
    static constexpr bool output_is_free = detail::output_is_free<layer<depth - 1>>();
    static constexpr const char* name = "sequential";

    /// Where the parameters and the statistics of layer I begin; only the last layer may have a dynamic width.
    template <std::size_t I> static constexpr integer offset() {
        if constexpr (I == 0) {
            return 0;
        } else {
            return offset<I - 1>() + layer<I - 1>::parameters::size();
        }
    }
    template <std::size_t I> static constexpr integer statistics_offset() {
        if constexpr (I == 0) {
            return 0;
        } else {
            return statistics_offset<I - 1>() + detail::statistics_size<layer<I - 1>>();
        }
    }

    template <std::size_t I = 0, class E, class X> static auto forward(E& e, X x, auto p) {
        if constexpr (I == depth) {
            return forwarded{x, nothing{}};
        } else {
            static_assert(require_shape<expected<typename layer<I>::input>, given<typename X::shape>>::value);
            if constexpr (constexpr detail::joining how = joins<I, E, X>(); how == detail::joining::folded) {
                return forward_by<folded_block<layer<I>, layer<I + 1>>, I, 2>(e, x, p);
            } else if constexpr (how == detail::joining::normalised) {
                return forward_by<normalised_convolution<layer<I>, layer<I + 1>>, I, 2>(e, x, p);
            } else {
                return forward_by<layer<I>, I, 1>(e, x, p);
            }
        }
    }

    /// The adjoint of the input, or `nothing`; the gradients go to g.
    template <std::size_t I = 0, class D> static auto backward(auto& e, const auto& saved, auto p, auto g, D dy) {
        if constexpr (I == depth) {
            return dy;
        } else {
            using saved_type = std::remove_cvref_t<decltype(saved)>;
            auto of_output = backward<I + saved_type::layers>(e, saved.rest, p, g, dy);
            if constexpr (std::is_same_v<decltype(of_output), nothing>) {
                return of_output;
            } else {
                constexpr integer at = offset<I>(), statistics_at = statistics_offset<I>();
                return saved_type::layer::backward(e, saved.first, p.from(at, statistics_at), g.from(at, statistics_at), of_output);
            }
        }
    }

    /// visit(std::type_identity<L>, name)  for every layer L that has no layers itself, in the order of the parameters. Layers of a kind are counted:
    /// prefix + "convolution_1", prefix + "convolution_2", …
    template <class Visit> static void visit_layers(const std::string& prefix, Visit& visit) {
        std::map<std::string, int> seen;
        visit_from<0>(prefix, seen, visit);
    }

private:
    template <std::size_t I, class E, class X> static constexpr detail::joining joins() {
        if constexpr (I + 1 < depth) {
            return detail::join_layers<E, X, layer<I>, layer<I + 1>>();
        } else {
            return detail::joining::none;
        }
    }
    /// Layer I, or `By` in the place of it and of those behind it.
    template <class By, std::size_t I, std::size_t Count> static auto forward_by(auto& e, auto x, auto p) {
        auto y = By::forward(e, x, p.from(offset<I>(), statistics_offset<I>()));
        auto rest = forward<I + Count>(e, y.value, p);
        return forwarded{rest.value, detail::saved_by<By, Count, decltype(y.saved), decltype(rest.saved)>{y.saved, rest.saved}};
    }

    // Plain recursion: clang 14 crashes over a fold of lambdas here.
    template <std::size_t I, class Visit>
    static void visit_from([[maybe_unused]] const std::string& prefix, [[maybe_unused]] std::map<std::string, int>& seen,
                           [[maybe_unused]] Visit& visit) {
        if constexpr (I < depth) {
            detail::visit_layers<layer<I>>(prefix + layer<I>::name + "_" + std::to_string(++seen[layer<I>::name]), visit);
            visit_from<I + 1>(prefix, seen, visit);
        }
    }

    template <std::size_t... I> static constexpr bool fit(std::index_sequence<I...>) {
        return (require_shape<expected<typename layer<I + 1>::input>, given<typename layer<I>::output>>::value && ...);
    }
    static_assert(fit(std::make_index_sequence<depth - 1>{}));
};

namespace detail {
template <class... Sequences> struct join;
template <class... Layers> struct join<sequential<Layers...>> {
    using type = sequential<Layers...>;
};
template <class... A, class... B, class... Rest>
struct join<sequential<A...>, sequential<B...>, Rest...> : join<sequential<A..., B...>, Rest...> {};
}  // namespace detail

/// Several sequentials as one flat sequential.
template <class... Sequences> using joined = typename detail::join<Sequences...>::type;

}  // namespace bilevel::nn
