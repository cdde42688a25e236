// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>
#include <new>

namespace bilevel {

/// Where arrays lie: what workspaces and the vectors of a state take their memory from.
class memory {
public:
    /// Every array begins at a multiple of so many bytes.
    static constexpr std::size_t alignment = 64;

    memory() = default;
    memory(const memory&) = delete;
    memory& operator=(const memory&) = delete;

    /// Not initialised. Throws `std::bad_alloc`, or what the memory's owner throws, where there is none left.
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void deallocate(void* data, std::size_t bytes) noexcept = 0;
    /// Sets bytes of this memory to zero.
    virtual void clear(void* data, std::size_t bytes) = 0;

protected:
    ~memory() = default;
};

/// The memory of the process.
inline memory& host_memory() {
    static class final_memory final : public memory {
        void* allocate(std::size_t bytes) override { return ::operator new(bytes, std::align_val_t{alignment}); }
        void deallocate(void* data, std::size_t) noexcept override { ::operator delete(data, std::align_val_t{alignment}); }
        void clear(void* data, std::size_t bytes) override { std::memset(data, 0, bytes); }
    } of_process;
    return of_process;
}

}  // namespace bilevel
