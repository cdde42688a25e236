// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>
#include <bilevel/core/memory.hpp>

#include <cstddef>
#include <new>
#include <utility>

namespace bilevel {

/// Memory that is handed out from front to back and taken back all at once. Without memory it only counts what it would hand out:
/// that is how a workspace is sized, by running the program itself. Copies nothing, throws `std::bad_alloc` when it is full.
class workspace {
public:
    workspace() = default;
    explicit workspace(std::size_t bytes, memory& from = host_memory())
        : from_(&from), base_(static_cast<std::byte*>(from.allocate(bytes))), capacity_(bytes) {}
    workspace(workspace&& other) noexcept
        : from_(other.from_), base_(std::exchange(other.base_, nullptr)), used_(std::exchange(other.used_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    workspace& operator=(workspace&& other) noexcept {
        std::swap(from_, other.from_);
        std::swap(base_, other.base_);
        std::swap(used_, other.used_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~workspace() {
        if (base_ != nullptr) from_->deallocate(base_, capacity_);
    }

    /// The next `count` elements, aligned to 64 bytes and not initialised; null while only counting.
    template <class Scalar> Scalar* take(integer count) {
        const std::size_t begin = used_;
        used_ += (static_cast<std::size_t>(count) * sizeof(Scalar) + alignment - 1) / alignment * alignment;
        if (base_ == nullptr) return nullptr;
        if (used_ > capacity_) throw std::bad_alloc{};
        return reinterpret_cast<Scalar*>(base_ + begin);
    }

    /// The same, and all of them zero.
    template <class Scalar> Scalar* take_zeros(integer count) {
        Scalar* const data = take<Scalar>(count);
        if (data != nullptr) from_->clear(data, static_cast<std::size_t>(count) * sizeof(Scalar));
        return data;
    }

    std::size_t used() const { return used_; }
    std::size_t capacity() const { return capacity_; }
    /// Takes back all that was handed out after `used()` was `mark`.
    void rewind(std::size_t mark = 0) { used_ = mark; }

private:
    static constexpr std::size_t alignment = memory::alignment;
    memory* from_ = nullptr;
    std::byte* base_ = nullptr;
    std::size_t used_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace bilevel
