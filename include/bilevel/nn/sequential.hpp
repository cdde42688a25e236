// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>

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

    template <std::size_t I = 0, class X> static auto forward(auto& e, X x, auto p) {
        if constexpr (I == depth) {
            return forwarded{x, std::tuple<>{}};
        } else {
            static_assert(require_shape<expected<typename layer<I>::input>, given<typename X::shape>>::value);
            auto y = layer<I>::forward(e, x, p.from(offset<I>(), statistics_offset<I>()));
            auto rest = forward<I + 1>(e, y.value, p);
            return forwarded{rest.value, std::tuple_cat(std::tuple<decltype(y.saved)>{y.saved}, rest.saved)};
        }
    }

    /// The adjoint of the input, or `nothing`; the gradients go to g.
    template <std::size_t I = depth, class D> static auto backward(auto& e, auto saved, auto p, auto g, D dy) {
        if constexpr (I == 0 || std::is_same_v<D, nothing>) {
            return dy;
        } else {
            constexpr integer at = offset<I - 1>(), statistics_at = statistics_offset<I - 1>();
            auto dx = layer<I - 1>::backward(e, std::get<I - 1>(saved), p.from(at, statistics_at), g.from(at, statistics_at), dy);
            return backward<I - 1>(e, saved, p, g, dx);
        }
    }

private:
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
