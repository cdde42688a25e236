// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/handle.cuh>
#include <bilevel/backend/cuda/memory.cuh>
#include <bilevel/core/integer.hpp>

#include <cstddef>

namespace bilevel::backend {

/// Arrays on the device; see `array_placement` in primitives.hpp.
class cuda_arrays {
public:
    static constexpr bool arrays_are_on_the_host = false;

    explicit cuda_arrays(cuda_handle& handle) : handle_(&handle) {}

    memory& array_memory() const { return cuda_memory(); }
    memory& shared_memory() const { return cuda_shared_memory(); }
    void wait() const { handle_->wait(); }
    template <class T> const T* upload(integer slot, const T* from, integer count) {
        return static_cast<const T*>(handle_->upload(slot, from, static_cast<std::size_t>(count) * sizeof(T)));
    }
    template <class T> void download(T* to, const T* from, integer count) {
        handle_->download(to, from, static_cast<std::size_t>(count) * sizeof(T));
    }
    /// The host would have to wait to know it.
    template <class Scalar> bool are_surely_zero(const Scalar*, integer) const { return false; }

private:
    cuda_handle* handle_;
};

}  // namespace bilevel::backend
