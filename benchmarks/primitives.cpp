// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Every primitive on one thread, one task at a time.
#include <bilevel/backend/cpu.hpp>
#include <bilevel/core/aligned_vector.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counters.hpp"
#include "primitives.hpp"

namespace {

using namespace benchmarks;

class processor final : public arrays {
public:
    using kernels = bilevel::backend::cpu_kernels<float>;
    static constexpr bool times_itself = false;

    /// Whether a pin is followed at a result of (height, width, filters): what it leaves to the automatic choice has a row there.
    static bool follows(convolution_algorithm pinned, const integer (&result)[3], integer channels) {
        return pinned != convolution_algorithm::winograd_4x4 ||
               bilevel::backend::winograd<float, 4>::pays(result[0], result[1], channels, result[2]);
    }

    explicit processor(const place& at) { kernels_.pin(at.pinned); }

    float* noise_of(integer count) override { return noise_.emplace_back(noise(count, noise_.size())).data(); }
    float* ones(integer count) override {
        float* const values = noise_of(count);
        std::fill_n(values, count, 1.0F);
        return values;
    }
    int* labels_of(integer count) override { return small(labels_, count); }
    std::uint8_t* positions_of(integer count) override { return small(positions_, count); }

    template <class Run> void measure(benchmark::State& state, const cost<float>& bill, const Run& run) {
        run(kernels_);
        const stopwatch watch;
        for ([[maybe_unused]] auto _ : state) {
            run(kernels_);
            benchmark::ClobberMemory();
        }
        report_rates(state, watch, bill.flops, bill.bytes);
    }

private:
    template <class T> static T* small(std::vector<std::vector<T>>& in, integer count) {
        auto& values = in.emplace_back(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i % 4);
        return values.data();
    }

    kernels kernels_;
    std::vector<bilevel::aligned_vector<float>> noise_;
    std::vector<std::vector<int>> labels_;
    std::vector<std::vector<std::uint8_t>> positions_;
};

[[maybe_unused]] const bool registered = [] {
    register_every_primitive<processor>(1);
    return true;
}();

}  // namespace
