// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::detail {

template <class F> struct if_it_holds {
    const bool* condition;
    F f;
    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        if (*condition) f(i);
    }
};

/// What an outer rule is given of the kernels: `for_each_index`, which does nothing where a condition does not hold that earlier kernels have left in
/// memory. So the host need not wait for the condition before it calls what depends on it.
template <class Kernels> class conditional_kernels {
public:
    using scalar = typename Kernels::scalar;
    static constexpr bool arrays_are_on_the_host = Kernels::arrays_are_on_the_host;

    conditional_kernels(Kernels& kernels, const bool* condition) : kernels_(kernels), condition_(condition) {}

    template <class F> void for_each_index(integer count, F f) {
        if constexpr (arrays_are_on_the_host) {
            if (*condition_) kernels_.for_each_index(count, f);
        } else {
            kernels_.for_each_index(count, if_it_holds<F>{condition_, f});
        }
    }

private:
    Kernels& kernels_;
    const bool* condition_;
};

}  // namespace bilevel::detail
