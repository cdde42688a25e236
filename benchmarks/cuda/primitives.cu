// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Every primitive on a GPU: Conv-4 for 32 tasks at once, each with weights of its own, ResNet-12 for one task. Calls run one after another in a graph, as those
// of a step do, so that neither the host's launches nor its waiting is what is timed.
#include <bilevel/backend/cuda.cuh>
#include <bilevel/core/repeatable.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "hypergradient/device_peak.hpp"
#include "primitives.hpp"
#include "run.hpp"

namespace {

using namespace benchmarks;
using bilevel::backend::cuda_memory;
using bilevel::backend::detail::check;

class gpu final : public arrays {
public:
    using kernels = bilevel::backend::cuda<float>;
    static constexpr bool times_itself = true;

    explicit gpu(const place&) {}
    gpu(const gpu&) = delete;
    gpu& operator=(const gpu&) = delete;
    ~gpu() {
        for (const array& one : all_) cuda_memory().deallocate(one.data, one.bytes);
    }
    /// One for all rows: what it holds besides its stream, cuBLAS's workspace and the kernels' memory, would take longer to make than most rows take.
    static kernels& backend() {
        static kernels one;
        return one;
    }

    float* noise_of(integer count) override { return repeated(noise(std::min(count, period), all_.size()), count); }
    float* ones(integer count) override { return repeated(std::vector<float>{1}, count); }
    int* labels_of(integer count) override { return repeated(std::vector<int>{0, 1, 2, 3}, count); }
    std::uint8_t* positions_of(integer count) override { return repeated(std::vector<std::uint8_t>{0, 1, 2, 3}, count); }

    template <class Run> void measure(benchmark::State& state, const cost<float>& bill, const Run& run) {
        using benchmark::Counter;
        bilevel::repeatable these;
        these.add(bilevel::repeatable::unused_number());  // another row's arrays may have lain where these do
        const auto calls_in_turn = [&](integer calls) {
            for (integer i = 0; i < calls; ++i) run(backend());
        };
        calls_in_turn(1);  // loads the kernels and takes their memory
        backend().wait();
        // So many that waiting, some microseconds, is no part of what they take; a call alone, with its wait, takes longer than one of many.
        constexpr double enough = 1e-2;
        constexpr integer most = 512;
        const double one = seconds_of([&] { calls_in_turn(1); });
        const integer calls = one * most < enough ? most : std::max(static_cast<integer>(enough / one), integer{1});
        const auto graph = [&] { backend().repeat(these, [&] { calls_in_turn(calls); }); };
        for (int i = 0; i < 2; ++i) seconds_of(graph);  // call by call, then recorded
        double seconds = 0;
        while (state.KeepRunningBatch(calls)) {
            const double batch = seconds_of(graph);
            state.SetIterationTime(batch);
            seconds += batch;
        }
        const double each = seconds / double(state.iterations());
        state.counters["FLOP/s"] = Counter(bill.flops / each, Counter::kDefaults, Counter::kIs1000);
        state.counters["B/s"] = Counter(bill.bytes / each, Counter::kDefaults, Counter::kIs1000);
        state.counters["peak_%"] = 100 * bill.flops / each / exchange::device_peak_flops(true);
        state.counters["kernels"] = double(backend().kernels_of_graph()) / double(calls);
    }

private:
    struct array {
        void* data;
        std::size_t bytes;
    };

    /// A pattern again and again: the host draws numbers slower than a device reads them.
    static constexpr integer period = 1 << 16;
    template <class Pattern> typename Pattern::value_type* repeated(const Pattern& pattern, integer count) {
        using scalar = typename Pattern::value_type;
        const std::size_t size = static_cast<std::size_t>(count);
        auto* const to = static_cast<scalar*>(cuda_memory().allocate(size * sizeof(scalar)));
        all_.push_back({to, size * sizeof(scalar)});
        const auto copy = [&](std::size_t at, const scalar* from, std::size_t length) {
            check(cudaMemcpyAsync(to + at, from, std::min(length, size - at) * sizeof(scalar), cudaMemcpyDefault,
                                  backend().device().stream()),
                  "cudaMemcpyAsync");
        };
        copy(0, pattern.data(), pattern.size());
        backend().wait();  // the pattern may not be there later
        for (std::size_t done = pattern.size(); done < size; done *= 2) copy(done, to, done);
        return to;
    }

    template <class F> static double seconds_of(const F& f) {
        const auto begin = std::chrono::steady_clock::now();
        f();
        backend().wait();
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    std::vector<array> all_;
};

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv, [] {
            benchmark::AddCustomContext("backend", gpu::backend().describe());
            benchmark::AddCustomContext("peak, float, GFLOP/s, by its data sheet", in_giga(exchange::device_peak_flops(true)));
            register_every_primitive<gpu>(32);
            register_resnet12<gpu, bilevel::shape<84, 84, 3>>(75);  // five leave most of a device idle
        });
    } catch (const bilevel::cuda_error& e) {
        std::fprintf(stderr, "benchmark_cuda_primitives: %s\n", e.what());
        return 1;
    }
}
