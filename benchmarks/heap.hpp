// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

/// Counts the bytes that live on the heap, by replacing the global operators new and delete: include it in one translation unit of a program.
namespace benchmarks::heap {

inline std::atomic<std::size_t> live{0}, most{0};

/// The most bytes that lived at once since it was made, beyond those that lived then.
class watermark {
public:
    watermark() : begin_(live.load()) { heap::most.store(begin_); }
    std::size_t most() const { return heap::most.load() - begin_; }

private:
    std::size_t begin_;
};

// In front of every block lies its size; the distance keeps the alignment.
inline constexpr std::size_t least = 2 * sizeof(std::max_align_t);

inline void* take(std::size_t bytes, std::size_t alignment) {
    const std::size_t front = std::max(alignment, least);
    const std::size_t whole = (bytes + front + front - 1) / front * front;
    auto* const base = static_cast<std::byte*>(std::aligned_alloc(front, whole));
    if (base == nullptr) throw std::bad_alloc{};
    *reinterpret_cast<std::size_t*>(base) = bytes;
    const std::size_t now = live += bytes;
    std::size_t before = most.load();
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    return base + front;
}
inline void give(void* block, std::size_t alignment) noexcept {
    if (block == nullptr) return;
    auto* const base = static_cast<std::byte*>(block) - std::max(alignment, least);
    live -= *reinterpret_cast<std::size_t*>(base);
    std::free(base);
}

}  // namespace benchmarks::heap

void* operator new(std::size_t bytes) { return benchmarks::heap::take(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return benchmarks::heap::take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { benchmarks::heap::give(block, 1); }
void operator delete(void* block, std::size_t) noexcept { benchmarks::heap::give(block, 1); }
void operator delete(void* block, std::align_val_t alignment) noexcept {
    benchmarks::heap::give(block, static_cast<std::size_t>(alignment));
}
void operator delete(void* block, std::size_t, std::align_val_t alignment) noexcept {
    benchmarks::heap::give(block, static_cast<std::size_t>(alignment));
}
