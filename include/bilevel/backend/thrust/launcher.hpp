// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/thrust/index.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/memory.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <stdexcept>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

namespace on_device {
/// f(task, element) of the i-th of all elements of the tasks from `first` on.
template <class F> struct by_task {
    integer first, per_task;
    F f;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { f(first + quotient(i, per_task), rest(i, per_task)); }
};
template <class Sum, class Term> struct partial_sum {
    integer positions, channels, blocks, length;
    Sum* partial;  // (tasks, blocks, channels)
    Term term;
    BILEVEL_HOST_DEVICE void operator()(integer t, integer i) const {
        const integer q = rest(i, channels), begin = quotient(i, channels) * length;
        const integer end = begin + length < positions ? begin + length : positions;
        Sum sum{};
        for (integer position = begin; position < end; ++position) sum = sum + term(t, position, q);
        partial[t * blocks * channels + i] = sum;
    }
};
/// The sums of blocks as the terms of the next level.
template <class Sum> struct sum_of_block {
    integer channels, blocks;
    const Sum* partial;  // (tasks, blocks, channels)
    BILEVEL_HOST_DEVICE Sum operator()(integer t, integer block, integer q) const { return partial[(t * blocks + block) * channels + q]; }
};
template <class Sum, class Put> struct whole_sum {
    integer channels, blocks;
    const Sum* partial;
    Put put;
    BILEVEL_HOST_DEVICE void operator()(integer t, integer q) const {
        const integer first = t * blocks * channels + q;
        Sum sum{};
        for (integer block = 0; block < blocks; ++block) sum = sum + partial[first + block * channels];
        put(t, q, sum);
    }
};
/// Two sums that run over the same terms.
template <class Scalar> struct two_sums {
    Scalar first, second;
    friend BILEVEL_HOST_DEVICE two_sums operator+(const two_sums& a, const two_sums& b) { return {a.first + b.first, a.second + b.second}; }
};
}  // namespace on_device

/// How kernels run on an execution policy: one call of a function for each element of the result, in any order, and nothing else; no two calls write to
/// the same place, and each goes through its terms in a fixed order. So the bits do not depend on who makes the calls.
template <class ExecutionPolicy> class thrust_launcher {
public:
    /// Terms of a long sum that one call adds up.
    static constexpr integer terms_of_a_block = 128;

    explicit thrust_launcher(const ExecutionPolicy& policy = {}) : policy_(policy) {}
    thrust_launcher(const thrust_launcher&) = delete;
    thrust_launcher& operator=(const thrust_launcher&) = delete;
    ~thrust_launcher() { release(); }

    /// f(i), i = 0 … count − 1.
    template <class F> void for_each(integer count, F f) {
        ::thrust::for_each_n(policy_, ::thrust::counting_iterator<integer>(0), count, f);
    }

    /// f(t, i) for every element i = 0 … per_task − 1 of every task.
    template <class F> void for_each_element(integer tasks, integer per_task, F f) {
        // One launch has less than 2³² elements: see index.hpp.
        constexpr integer most = integer{1} << 32;
        if (per_task >= most) throw std::length_error("bilevel: an array of one task has 2^32 elements or more");
        const integer at_once = per_task > 0 ? (most - 1) / per_task : tasks;
        for (integer first = 0; first < tasks; first += at_once)
            for_each(std::min(at_once, tasks - first) * per_task, on_device::by_task<F>{first, per_task, f});
    }

    /// put(t, q, Σ_i term(t, i, q)), i = 0 … positions − 1, for every channel q of every task: blocks of `terms_of_a_block` terms, blocks of as many of those
    /// while there are more of them, then the sums of the blocks, all in order. Sum is what term returns, which the host does not know of a device's lambda.
    template <class Sum, class Term, class Put> void for_each_sum(integer tasks, integer positions, integer channels, Term term, Put put) {
        const auto blocks_of = [](integer count) { return (count + terms_of_a_block - 1) / terms_of_a_block; };
        integer blocks = blocks_of(positions);
        Sum* partial = scratch<Sum>(tasks * (blocks + 2 * blocks_of(blocks)) * channels);  // of all levels
        for_each_element(tasks, blocks * channels,
                         on_device::partial_sum<Sum, Term>{positions, channels, blocks, terms_of_a_block, partial, term});
        while (blocks > terms_of_a_block) {
            const integer next = blocks_of(blocks);
            Sum* const larger = partial + tasks * blocks * channels;
            using term_of_level = on_device::sum_of_block<Sum>;
            for_each_element(
                tasks, next * channels,
                on_device::partial_sum<Sum, term_of_level>{blocks, channels, next, terms_of_a_block, larger, {channels, blocks, partial}});
            partial = larger;
            blocks = next;
        }
        for_each_element(tasks, channels, on_device::whole_sum<Sum, Put>{channels, blocks, partial, put});
    }

    /// Memory of the policy's system, which grows in the first calls and then stays.
    template <class T> T* scratch(integer count) {
        const std::size_t units = (static_cast<std::size_t>(count) * sizeof(T) + sizeof(unit) - 1) / sizeof(unit);
        if (units > capacity_) {
            release();
            ++growths_;  // even if there is no more: what was there is gone
            memory_ = ::thrust::malloc<unit>(policy_, units).get();
            if (memory_ == nullptr) throw std::bad_alloc{};
            capacity_ = units;
        }
        return reinterpret_cast<T*>(memory_);
    }

    /// How often that memory has been given back or taken anew, whose address kernels have been called with.
    integer scratch_growths() const { return growths_; }

private:
    using unit = double;

    void release() noexcept {
        try {
            if (memory_ != nullptr) ::thrust::free(policy_, memory_);
        } catch (...) {
            // Of a device whose last call failed: that error is on its way already.
        }
        memory_ = nullptr;
        capacity_ = 0;
    }

    ExecutionPolicy policy_;
    unit* memory_ = nullptr;
    std::size_t capacity_ = 0;
    integer growths_ = 0;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
