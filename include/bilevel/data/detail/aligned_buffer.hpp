// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace bilevel::data::detail {

/// Memory at multiples of 64 bytes: vectorised sums group their terms by alignment, so a batch must always lie alike to give the same bits.
template <class Value> struct aligned_allocator {
    using value_type = Value;
    static constexpr std::align_val_t alignment{64};
    aligned_allocator() = default;
    template <class Other> constexpr aligned_allocator(const aligned_allocator<Other>&) {}
    Value* allocate(std::size_t count) { return static_cast<Value*>(::operator new(count * sizeof(Value), alignment)); }
    void deallocate(Value* memory, std::size_t) { ::operator delete(memory, alignment); }
    friend bool operator==(const aligned_allocator&, const aligned_allocator&) { return true; }
};

template <class Value> using aligned_buffer = std::vector<Value, aligned_allocator<Value>>;

}  // namespace bilevel::data::detail
