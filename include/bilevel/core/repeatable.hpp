// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace bilevel {

/// What tells one sequence of kernels from another: the addresses and the numbers that they are called with. Those that are equal call the same kernels with
/// the same arguments, and may be called all at once.
class repeatable {
public:
    static constexpr std::size_t capacity = 16;

    void add(const void* address) { add(reinterpret_cast<std::uintptr_t>(address)); }
    void add(integer number) { add(static_cast<std::uintptr_t>(number)); }
    friend bool operator==(const repeatable&, const repeatable&) = default;

    /// A number that no other caller gets, for memory that may lie where another's has been.
    static integer unused_number() {
        static std::atomic<integer> used = 0;
        return ++used;
    }

private:
    void add(std::uintptr_t value) {
        if (size_ == capacity) throw std::length_error("bilevel: a repeatable sequence of kernels is told by at most 16 values");
        values_[size_++] = value;
    }
    std::array<std::uintptr_t, capacity> values_{};
    std::size_t size_ = 0;
};

}  // namespace bilevel
