// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What a workspace promises, whether its buffers lie in one allocation or, for a sanitizer, in one each.
#include <bilevel/core/workspace.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <new>
#include <utility>

using namespace bilevel;

namespace {
class counting_memory final : public memory {
public:
    std::size_t allocations = 0, bytes = 0;
    void* allocate(std::size_t count) override {
        if (count == refused) throw std::bad_alloc{};
        ++allocations;
        bytes += count;
        return host_memory().allocate(count);
    }
    void deallocate(void* data, std::size_t count) noexcept override {
        --allocations;
        bytes -= count;
        host_memory().deallocate(data, count);
    }
    void clear(void* data, std::size_t count) override { host_memory().clear(data, count); }
    std::size_t refused = ~std::size_t{0};
};
constexpr std::initializer_list<buffers> both{buffers::together, buffers::apart};
}  // namespace

TEST_CASE("a program that runs again finds its buffers, and what they held, at the same addresses") {
    for (const buffers how : both) {
        counting_memory from;
        {
            workspace w(64 + 128, from, how);
            int* const first = w.take<int>(3);
            double* const second = w.take_zeros<double>(9);
            CHECK(reinterpret_cast<std::uintptr_t>(second) % 64 == 0);
            CHECK(second[8] == 0);
            first[2] = 7;
            second[8] = 2;
            w.rewind();
            CHECK(w.take<int>(3) == first);
            const std::size_t mark = w.used();
            CHECK(w.take<double>(9) == second);
            w.rewind(mark);
            CHECK(w.take<double>(9) == second);
            CHECK(first[2] == 7);
            CHECK(second[8] == 2);
            CHECK(w.used() == w.capacity());
            CHECK(from.allocations == (how == buffers::together ? 1 : 2));
            CHECK(from.bytes == w.capacity());

            workspace other;
            CHECK(other.take<int>(3) == nullptr);
            other = std::move(w);
            other.rewind();
            CHECK(other.take<int>(3) == first);
        }
        CHECK(from.allocations == 0);
        CHECK(from.bytes == 0);
    }
}

TEST_CASE("a workspace that is full throws, and so does one whose memory has no more; afterwards it is as it was") {
    for (const buffers how : both) {
        counting_memory from;
        workspace w(128, from, how);
        w.take<char>(64);
        CHECK_THROWS_AS(w.take<char>(65), std::bad_alloc);
    }
    counting_memory from;
    workspace w(256, from, buffers::apart);
    w.take<char>(64);
    from.refused = 128;
    CHECK_THROWS_AS(w.take<char>(128), std::bad_alloc);
    from.refused = 0;
    w.rewind(64);
    CHECK(w.take<char>(128) != nullptr);
    CHECK(from.allocations == 2);
}

TEST_CASE("of buffers that lie apart another program has its own") {
    workspace w(256, host_memory(), buffers::apart);
    float* const longer = w.take<float>(32);
    w.rewind();
    CHECK(w.take<float>(16) != longer);
    w.rewind();
    CHECK(w.take<float>(32) == longer);
}
