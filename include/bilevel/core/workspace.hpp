// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>
#include <bilevel/core/memory.hpp>

#include <compare>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <new>
#include <utility>

namespace bilevel {

/// Whether the buffers of a workspace are parts of one allocation, or each is one of its own.
enum class buffers { together, apart };

/// Apart under AddressSanitizer and where the environment has `BILEVEL_SEPARATE_BUFFERS`, such as for compute-sanitizer: who reaches from one buffer into
/// the next is seen there alone.
inline buffers usual_buffers() {
#if defined(__SANITIZE_ADDRESS__)
    return buffers::apart;
#else
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    return buffers::apart;
#endif
#endif
    static const buffers usual = std::getenv("BILEVEL_SEPARATE_BUFFERS") != nullptr ? buffers::apart : buffers::together;
    return usual;
#endif
}

/// Memory that is handed out from front to back and taken back all at once. Without memory it only counts what it would hand out:
/// that is how a workspace is sized, by running the program itself. Copies nothing, throws `std::bad_alloc` when it is full. A program that runs again
/// finds its buffers, and what they held, at the same addresses.
class workspace {
public:
    workspace() = default;
    explicit workspace(std::size_t bytes, memory& from = host_memory(), buffers how = usual_buffers())
        : from_(&from), base_(how == buffers::together ? static_cast<std::byte*>(from.allocate(bytes)) : nullptr), capacity_(bytes) {}
    workspace(workspace&& other) noexcept { *this = std::move(other); }
    workspace& operator=(workspace&& other) noexcept {
        std::swap(from_, other.from_);
        std::swap(base_, other.base_);
        std::swap(apart_, other.apart_);
        std::swap(used_, other.used_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~workspace() {
        if (base_ != nullptr) from_->deallocate(base_, capacity_);
        for (const auto& [at, data] : apart_) from_->deallocate(data, at.bytes);
    }

    /// The next `count` elements, aligned to 64 bytes and not initialised; null while only counting.
    template <class Scalar> Scalar* take(integer count) {
        const place to{used_, (static_cast<std::size_t>(count) * sizeof(Scalar) + alignment - 1) / alignment * alignment};
        used_ += to.bytes;
        if (from_ == nullptr) return nullptr;
        if (used_ > capacity_) throw std::bad_alloc{};
        if (base_ == nullptr) return static_cast<Scalar*>(apart(to));
        return reinterpret_cast<Scalar*>(base_ + to.begin);
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
    struct place {
        std::size_t begin, bytes;
        auto operator<=>(const place&) const = default;
    };

    void* apart(const place& to) {
        const auto [found, is_new] = apart_.try_emplace(to, nullptr);
        if (is_new) {
            try {
                found->second = from_->allocate(to.bytes);
            } catch (...) {
                apart_.erase(found);
                throw;
            }
        }
        return found->second;
    }

    memory* from_ = nullptr;
    std::byte* base_ = nullptr;
    std::map<place, void*> apart_;
    std::size_t used_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace bilevel
