// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/memory.hpp>

#include <cstddef>
#include <type_traits>
#include <vector>

namespace bilevel {

/// Allocates at multiples of 64 bytes, so that a vector of parameters begins where the layout assumes it does, from the process's memory or from one that a
/// backend shares with the host. A copy of a vector lies in the same memory, and so does what a vector is assigned to.
template <class T> struct aligned_allocator {
    using value_type = T;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    memory* from = &host_memory();

    aligned_allocator() = default;
    aligned_allocator(memory& m) noexcept : from(&m) {}
    template <class U> aligned_allocator(const aligned_allocator<U>& other) noexcept : from(other.from) {}
    T* allocate(std::size_t n) { return static_cast<T*>(from->allocate(n * sizeof(T))); }
    void deallocate(T* p, std::size_t n) noexcept { from->deallocate(p, n * sizeof(T)); }
    friend bool operator==(const aligned_allocator& a, const aligned_allocator& b) { return a.from == b.from; }
};

/// A vector of the standard library's that begins at a multiple of 64 bytes.
template <class T> using aligned_vector = std::vector<T, aligned_allocator<T>>;

}  // namespace bilevel
