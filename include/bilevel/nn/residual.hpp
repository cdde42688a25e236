// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/autodiff/operation/addition.hpp>
#include <bilevel/core/parameters.hpp>
#include <bilevel/nn/forwarded.hpp>
#include <bilevel/nn/identity.hpp>
#include <bilevel/nn/sequential.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace bilevel::nn {

namespace detail {
template <class Layer> struct as_sequential {
    using type = sequential<Layer>;
};
template <class... Layers> struct as_sequential<sequential<Layers...>> {
    using type = sequential<Layers...>;
};
}  // namespace detail

/// y = body(x) + shortcut(x),  dx = bodyᵀ(dy) + shortcutᵀ(dy) [He16]. Both read the same input and give the same shape; what follows the sum, an
/// activation say, follows the layer. Both sums lie where the body left its term, and take no memory. The parameters are the body's, then the shortcut's.
template <class Body, class Shortcut = identity<typename Body::input>> struct residual {
    using body = typename detail::as_sequential<Body>::type;
    using shortcut = typename detail::as_sequential<Shortcut>::type;
    using input = typename body::input;
    using output = typename body::output;
    static_assert(require_shape<expected<input>, given<typename shortcut::input>>::value);
    static_assert(require_shape<expected<output>, given<typename shortcut::output>>::value);
    static_assert(
        body::output_is_free,
        "bilevel: nn::residual adds its shortcut to the output of its body in place: the body ends in a convolution, a batch norm, a "
        "linear layer or a pooling, and an activation goes behind the residual");
    // With parameters the body's output and its adjoint move whenever the shortcut's do.
    static_assert(body::parameters::size() > 0,
                  "bilevel: the body of nn::residual has parameters; where only the shortcut has any, exchange the two");
    struct parameters {
        static constexpr integer size(integer = 0) { return body::parameters::size() + shortcut::parameters::size(); }
        static constexpr integer count(integer = 0) { return body::parameters::count() + shortcut::parameters::count(); }
    };
    static constexpr integer statistics_size = body::statistics_size + shortcut::statistics_size;
    static constexpr bool output_is_free = true;
    static constexpr const char* name = "block";

    static auto forward(auto& e, auto x, auto p) {
        auto y = body::forward(e, x, p);
        auto through_shortcut = shortcut::forward(e, x, of_shortcut(p));
        return forwarded{e.onto(y.value, operation::add{}, through_shortcut.value), std::pair{y.saved, through_shortcut.saved}};
    }

    static auto backward(auto& e, auto saved, auto p, auto g, auto dy) {
        auto dx = body::backward(e, saved.first, p, g, dy);
        auto through_shortcut = shortcut::backward(e, saved.second, of_shortcut(p), of_shortcut(g), dy);
        if constexpr (std::is_same_v<decltype(dx), nothing>) {
            return dx;
        } else {
            return e.onto(dx, operation::add{}, through_shortcut);
        }
    }

    /// The layers of the body, then those of the shortcut: "block_1.convolution_1", "block_1.shortcut.convolution_1".
    template <class Visit> static void visit_layers(const std::string& prefix, Visit& visit) {
        body::visit_layers(prefix, visit);
        shortcut::visit_layers(prefix + "shortcut.", visit);
    }

private:
    static auto of_shortcut(auto p) { return p.from(body::parameters::size(), body::statistics_size); }
};

}  // namespace bilevel::nn
