// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>
#include <bilevel/core/memory.hpp>
#include <bilevel/core/repeatable.hpp>

#include <algorithm>

namespace bilevel::backend {

/// The arrays of kernels that run in the process's memory and are done when they return; see `array_placement` in primitives.hpp.
struct host_arrays {
    static constexpr bool arrays_are_on_the_host = true;

    memory& array_memory() const { return host_memory(); }
    memory& shared_memory() const { return host_memory(); }
    void wait() const {}
    template <class T> const T* upload(integer, const T* from, integer) const { return from; }
    template <class T> void download(T* to, const T* from, integer count) const { std::copy(from, from + count, to); }
    template <class F> void repeat(const repeatable&, F f) { f(); }
    template <class Scalar> bool are_surely_zero(const Scalar* numbers, integer count) const {
        return std::all_of(numbers, numbers + count, [](const Scalar& number) { return number == Scalar(0); });
    }
};

}  // namespace bilevel::backend
