// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "kernels.hpp"
#include "memory.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace emulated {

namespace {
namespace context = boost::context;

/// Stacks are taken once, for as many threads as a block has had.
class stacks {
public:
    context::stack_context allocate() {
        auto& free = all();
        if (free.empty()) return context::fixedsize_stack(bytes).allocate();
        const context::stack_context last = free.back();
        free.pop_back();
        return last;
    }
    void deallocate(context::stack_context& one) { all().push_back(one); }

private:
    static constexpr std::size_t bytes = std::size_t{1} << 17;
    static std::vector<context::stack_context>& all() {
        static std::vector<context::stack_context> free;
        return free;
    }
};

constexpr int lanes = 32;
enum class status { runs, at_barrier, at_product, is_done };
struct fiber {
    status now = status::runs;
    context::fiber here, scheduler;
    float* c = nullptr;
    const float *a = nullptr, *b = nullptr;
};
}  // namespace

struct block {
    std::vector<char> shared;
    std::vector<watched> words;
    std::uint32_t barriers = 0;
    std::vector<fiber> fibers;
};

std::uint32_t shared_size(const thread& t) { return static_cast<std::uint32_t>(t.of->shared.size()); }
std::uint32_t barriers(const thread& t) { return t.of->barriers; }

namespace {
void wait(const thread& t, status until) {
    fiber& one = t.of->fibers[t.tid];
    one.now = until;
    one.scheduler = std::move(one.scheduler).resume();
}
float to_tf32(float x) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xFFFFE000U); }  // what a tensor core reads

/// The places of a warp's elements are those of the PTX manual.
void multiply(fiber* warp) {
    float a[16][8], b[8][8], c[16][8];
    for (int lane = 0; lane < lanes; ++lane) {
        const fiber& f = warp[lane];
        const int group = lane / 4, in_group = lane % 4;
        for (int i = 0; i < 4; ++i) a[group + i % 2 * 8][in_group + i / 2 * 4] = to_tf32(f.a[i]);
        for (int i = 0; i < 2; ++i) b[in_group + i * 4][group] = to_tf32(f.b[i]);
        for (int i = 0; i < 4; ++i) c[group + i / 2 * 8][in_group * 2 + i % 2] = f.c[i];
    }
    for (int m = 0; m < 16; ++m)
        for (int n = 0; n < 8; ++n) {
            double sum = double(c[m][n]);
            for (int k = 0; k < 8; ++k) sum += double(a[m][k]) * double(b[k][n]);
            c[m][n] = static_cast<float>(sum);
        }
    for (int lane = 0; lane < lanes; ++lane) {
        for (int i = 0; i < 4; ++i) warp[lane].c[i] = c[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
        warp[lane].now = status::runs;
    }
}

void run_together(block& of, const kernel& what, const std::vector<thread>& threads) {
    of.fibers = std::vector<fiber>(threads.size());
    for (std::size_t i = 0; i < threads.size(); ++i)
        of.fibers[i].here = context::fiber(std::allocator_arg, stacks{}, [&of, &what, &t = threads[i], i](context::fiber&& scheduler) {
            of.fibers[i].scheduler = std::move(scheduler);
            what.run(t);
            of.fibers[i].now = status::is_done;
            return std::move(of.fibers[i].scheduler);
        });
    for (;;) {
        bool goes_on = false;
        for (fiber& f : of.fibers)
            if (f.now == status::runs) {
                f.here = std::move(f.here).resume();
                goes_on = true;
            }
        for (std::size_t first = 0; first + lanes <= of.fibers.size(); first += lanes)
            if (std::all_of(&of.fibers[first], &of.fibers[first] + lanes, [](const fiber& f) { return f.now == status::at_product; })) {
                multiply(&of.fibers[first]);
                goes_on = true;
            }
        const auto all = [&](status s) {
            return std::all_of(of.fibers.begin(), of.fibers.end(), [s](const fiber& f) { return f.now == s; });
        };
        if (all(status::is_done)) return;
        if (all(status::at_barrier)) {
            ++of.barriers;
            for (fiber& f : of.fibers) f.now = status::runs;
            goes_on = true;
        }
        if (!goes_on) refuse("some threads of a block wait for others, which do not come");
    }
}
}  // namespace

void barrier(const thread& t) { wait(t, status::at_barrier); }
void mma(const thread& t, float (&c)[4], const float (&a)[4], const float (&b)[2]) {
    fiber& one = t.of->fibers[t.tid];
    one.c = c;
    one.a = a;
    one.b = b;
    wait(t, status::at_product);
}

void run(const kernel& of, const std::string& name, dim3 grid, dim3 threads, const std::vector<char>& parameters) {
    begin_kernel(name);
    block one;
    one.shared.resize(static_cast<std::size_t>(of.bytes_of_shared));
    std::vector<thread> all(threads.x);
    for (std::uint64_t number = 0; number < std::uint64_t{grid.x} * grid.y * grid.z; ++number) {
        std::memset(one.shared.data(), 0xFF, one.shared.size());
        one.words.assign(one.shared.size() / 4 + 1,
                         watched{{watched::allocated, watched::allocated, watched::allocated, watched::allocated}, 0, 0, 0, 0, 0});
        one.barriers = 1;
        for (std::uint32_t i = 0; i < threads.x; ++i)
            all[i] = {i,
                      static_cast<std::uint32_t>(number % grid.x),
                      static_cast<std::uint32_t>(number / grid.x % grid.y),
                      static_cast<std::uint32_t>(number / grid.x / grid.y),
                      threads.x,
                      static_cast<std::uint32_t>(number * threads.x + i + 1),
                      parameters.data(),
                      one.shared.data(),
                      one.words.data(),
                      &one};
        if (of.threads_wait) {
            run_together(one, of, all);
        } else {
            for (const thread& t : all) of.run(t);
        }
    }
    end_kernel();
}

}  // namespace emulated
