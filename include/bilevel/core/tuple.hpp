// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace bilevel {

namespace detail {
template <std::size_t I, class T> struct tuple_member {
    T value;
};
template <class Indices, class... T> struct tuple_members;
template <std::size_t... I, class... T> struct tuple_members<std::index_sequence<I...>, T...> : tuple_member<I, T>... {};
template <std::size_t I, class T> T type_of_member(const tuple_member<I, T>&);
}  // namespace detail

/// The handles that a primitive gives, or a layer saves: a std::tuple of values, with `get` and structured bindings, and no more. What makes it one of our
/// own is the compiler's time: a program names some hundred tuples, std::tuple is a chain of types and of functions for each, and without optimisation that
/// was a third of all that was compiled.
template <class... T> struct tuple : detail::tuple_members<std::index_sequence_for<T...>, T...> {
    [[gnu::always_inline]] constexpr tuple(T... values) : detail::tuple_members<std::index_sequence_for<T...>, T...>{{values}...} {}
};

template <std::size_t I, class T> [[gnu::always_inline]] constexpr T& get(detail::tuple_member<I, T>& of) { return of.value; }
template <std::size_t I, class T> [[gnu::always_inline]] constexpr const T& get(const detail::tuple_member<I, T>& of) { return of.value; }
template <std::size_t I, class T> [[gnu::always_inline]] constexpr T&& get(detail::tuple_member<I, T>&& of) {
    return static_cast<T&&>(of.value);
}

}  // namespace bilevel

template <class... T> struct std::tuple_size<bilevel::tuple<T...>> : std::integral_constant<std::size_t, sizeof...(T)> {};
template <std::size_t I, class... T> struct std::tuple_element<I, bilevel::tuple<T...>> {
    using type = decltype(bilevel::detail::type_of_member<I>(std::declval<const bilevel::tuple<T...>&>()));
};
