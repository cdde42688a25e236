// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// After the first step a training loop allocates nothing, whatever the policy; and what a longer inner loop needs, with recomputed planes, is the
// parameter vectors of its path alone. Every `operator new` of this program is counted.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/objective/cross_entropy.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> allocations{0}, allocated_bytes{0};

void* counted(std::size_t size, std::size_t alignment) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    allocated_bytes.fetch_add(size, std::memory_order_relaxed);
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}
// Not inlined: g++ 12 warns of a mismatch between new and free where it sees through one of the two alone.
[[gnu::noinline]] void release(void* memory) { std::free(memory); }
constexpr std::size_t usual = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
}  // namespace

void* operator new(std::size_t size) { return counted(size, usual); }
void* operator new[](std::size_t size) { return counted(size, usual); }
void* operator new(std::size_t size, std::align_val_t alignment) { return counted(size, std::size_t(alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return counted(size, std::size_t(alignment)); }
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { release(p); }

using namespace bilevel;
using objective::cross_entropy;
using network = fixture::two_blocks;

namespace {
const fixture::sizes size{.tasks = 4, .outputs = 5, .support = 5, .query = 10};
const task<network, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 3, .step_size = 0.1};

template <class Make> void check(Make make) {
    const fixture::episodes<float, network, cross_entropy> data(size), other(size, 2);
    backend::cpu<float> backend{{.threads = 2}};
    auto solver = make(backend);
    auto state = solver.initialise({.seed = 1});
    const std::size_t before = allocations.load();
    solver.step(state, data.all());
    const std::size_t after_first = allocations.load();
    CHECK(after_first > before);  // the counter counts
    double loss = 0;
    for (int i = 0; i < 5; ++i) loss += solver.step(state, i % 2 == 0 ? other.all() : data.all()).loss;
    CHECK(allocations.load() == after_first);
    CHECK(loss > 0);
    const auto viewed = solver.view_hypergradient(state, data.all());
    CHECK(allocations.load() == after_first);
    const auto copied = solver.hypergradient(state, data.all());  // into the memory that the view shows
    CHECK(std::equal(viewed.vector.begin(), viewed.vector.end(), copied.vector.begin(), copied.vector.end()));
    CHECK(viewed.report.gradient_norm == copied.report.gradient_norm);
}
}  // namespace

TEST_CASE("no allocation after the first step") {
    SUBCASE("maml, planes kept") {
        check([](auto& b) { return maml(b, classification, {.inner = rule}); });
    }
    SUBCASE("maml, planes recomputed, clipped") {
        check([](auto& b) {
            return maml(
                b, classification,
                {.inner = rule, .hypergradient = {.planes = hypergradient::planes::recomputed}, .clipping = {.value = 1, .norm = 1}});
        });
    }
    SUBCASE("fomaml") {
        check([](auto& b) { return fomaml(b, classification, {.inner = rule}); });
    }
    SUBCASE("imaml") {
        check([](auto& b) {
            return imaml(b, classification, 50.0,
                         {.inner = {.steps = 3, .step_size = 0.01}, .hypergradient = {.linear = {.iterations = 5}}});
        });
    }
    SUBCASE("anil") {
        check([](auto& b) { return anil(b, classification, {.inner = rule}); });
    }
    SUBCASE("mtl") {
        check([](auto& b) { return mtl(b, classification, size.classes); });
    }
}

TEST_CASE("with recomputed planes, memory grows with the inner steps by the stored parameter vectors alone") {
    const fixture::episodes<float, network, cross_entropy> data(size);
    const auto with = [&](integer steps, const hypergradient::unrolled& unrolled) {
        backend::cpu<float> backend{{.threads = 1}};
        auto solver = maml(backend, classification, {.inner = {.steps = steps, .step_size = 0.01}, .hypergradient = unrolled});
        auto state = solver.initialise({.seed = 1});
        const std::size_t before = allocated_bytes.load();
        solver.step(state, data.all());
        return allocated_bytes.load() - before;  // nothing of it is given back before the solver ends
    };
    const auto bytes = [&](integer steps, hypergradient::planes planes) { return with(steps, {.planes = planes}); };
    const std::size_t vector = std::size_t(padded(network::size(size.outputs))) * sizeof(float);
    const std::size_t one = bytes(1, hypergradient::planes::recomputed), many = bytes(64, hypergradient::planes::recomputed);
    CHECK(many - one <= 63 * vector);
    // The other choice keeps the values of every step: the test would see it.
    const std::size_t eight = bytes(8, hypergradient::planes::kept), values = (eight - bytes(1, hypergradient::planes::kept)) / 7;
    CHECK(values > 2 * vector);
    // A budget for three of the eight is kept to.
    CHECK(eight - with(8, {.budget = 3 * values}) >= 5 * (values - vector));
}
