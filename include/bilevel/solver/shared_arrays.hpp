// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/integer.hpp>

#include <cstddef>

namespace bilevel::detail {

/// The slots of `upload` that a solver uses; those of a batch are 0 … 4.
struct upload_slot {
    static constexpr integer query_inputs = 2, parameters = 5, statistics = 6, outer_step = 7;
};

/// Vectors of the solver in the memory that kernels and the host share, and those of the user, wherever they lie.
template <class Kernels> class shared_arrays {
public:
    explicit shared_arrays(Kernels& kernels) : kernels_(kernels) {}

    /// Zeros.
    template <class T> aligned_vector<T> zeros(integer count) const {
        return aligned_vector<T>(static_cast<std::size_t>(count), aligned_allocator<T>(kernels_.shared_memory()));
    }
    /// Moves a vector into the shared memory, if it lies elsewhere.
    template <class T> void share(aligned_vector<T>& v) const {
        if (!is_shared(v)) v = aligned_vector<T>(v.begin(), v.end(), aligned_allocator<T>(kernels_.shared_memory()));
    }
    /// A vector as kernels can read it: itself, or a copy that stays until the next one in this slot.
    template <class T> const T* readable(const aligned_vector<T>& v, integer slot) const {
        return is_shared(v) ? v.data() : kernels_.upload(slot, v.data(), static_cast<integer>(v.size()));
    }

private:
    template <class T> bool is_shared(const aligned_vector<T>& v) const { return v.get_allocator().from == &kernels_.shared_memory(); }

    Kernels& kernels_;
};

}  // namespace bilevel::detail
