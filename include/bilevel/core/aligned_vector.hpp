// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace bilevel {

/// Allocates at multiples of 64 bytes: a vector of parameters begins where the layout assumes it does.
template <class T> struct aligned_allocator {
    using value_type = T;
    static constexpr std::align_val_t alignment{64};
    aligned_allocator() = default;
    template <class U> constexpr aligned_allocator(const aligned_allocator<U>&) noexcept {}
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), alignment)); }
    void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, alignment); }
    friend bool operator==(const aligned_allocator&, const aligned_allocator&) { return true; }
};

template <class T> using aligned_vector = std::vector<T, aligned_allocator<T>>;

}  // namespace bilevel
