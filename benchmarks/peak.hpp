// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <thread>
#include <utility>
#include <vector>

/// What this machine can do at most, measured in the same run as everything that is compared with it.
namespace benchmarks {

using bilevel::integer;

/// The widest vectors that this translation unit is compiled for, in bytes.
inline constexpr integer vector_bytes =
#if defined(__AVX512F__)
    64;
#elif defined(__AVX__)
    32;
#else
    16;
#endif

namespace detail {

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Twelve sums that do not wait for each other: two multiply-adds a cycle with a latency of four or five need ten, and the smallest register file
// (16) holds them beside the two factors. A multiply-add is one instruction where the processor has it, otherwise two.
// Clang halves vectors of 64 bytes unless a function asks for them.
#if defined(__clang__) && defined(__AVX512F__)
#define BILEVEL_WHOLE_VECTORS __attribute__((min_vector_width(512)))
#else
#define BILEVEL_WHOLE_VECTORS
#endif
template <class Scalar, std::size_t... I>
BILEVEL_WHOLE_VECTORS Scalar multiply_add_chains(integer repetitions, Scalar seed, std::index_sequence<I...>) {
    typedef Scalar lanes __attribute__((vector_size(vector_bytes)));
    const lanes factor = lanes{} + Scalar(0.5), term = lanes{} + seed;
    lanes sums[sizeof...(I)] = {(lanes{} + Scalar(I))...};
    for (integer i = 0; i < repetitions; ++i) ((sums[I] = sums[I] * factor + term), ...);
    lanes total{};
    ((total += sums[I]), ...);
    return total[0];
}

#undef BILEVEL_WHOLE_VECTORS

template <class Scalar> double multiply_adds_per_second(integer threads) {
    constexpr integer chains = 12, repetitions = 1 << 20;
    std::atomic<integer> ready{0};
    std::vector<double> seconds(static_cast<std::size_t>(threads));
    std::vector<Scalar> sinks(static_cast<std::size_t>(threads));
    const auto run = [&](integer thread) {
        ++ready;
        while (ready.load() < threads) {
        }
        const auto begin = std::chrono::steady_clock::now();
        sinks[static_cast<std::size_t>(thread)] = multiply_add_chains(repetitions, Scalar(threads), std::make_index_sequence<chains>{});
        seconds[static_cast<std::size_t>(thread)] = seconds_since(begin);
    };
    std::vector<std::thread> others;
    for (integer thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
    run(0);
    for (auto& other : others) other.join();
    [[maybe_unused]] volatile Scalar sink = *std::max_element(sinks.begin(), sinks.end());
    const integer lanes = vector_bytes / static_cast<integer>(sizeof(Scalar));
    return double(threads * chains * repetitions * lanes) / *std::max_element(seconds.begin(), seconds.end());
}

}  // namespace detail

/// The floating-point operations a second of `threads` threads that do nothing but multiply and add in registers (a multiply-add is two operations):
/// the best of several trials, measured at the first call and then kept.
template <class Scalar> double peak_flops(integer threads) {
    static std::map<integer, double> known;
    auto [entry, first] = known.try_emplace(threads, 0.0);
    if (first) {
        for (int trial = 0; trial < 8; ++trial)
            entry->second = std::max(entry->second, 2 * detail::multiply_adds_per_second<Scalar>(threads));
    }
    return entry->second;
}

/// The bytes a second of one thread in  a ← b + s c  over three arrays of 64 MiB, each counted once: the best of several trials.
inline double triad_bandwidth() {
    static const double best = [] {
        constexpr std::size_t count = (std::size_t{64} << 20) / sizeof(float);
        bilevel::aligned_vector<float> a(count, 0.0F), b(count, 1.0F), c(count, 2.0F);
        double most = 0;
        for (int trial = 0; trial < 5; ++trial) {
            const float s = float(trial);
            const auto begin = std::chrono::steady_clock::now();
            for (std::size_t i = 0; i < count; ++i) a[i] = b[i] + s * c[i];
            most = std::max(most, 3.0 * double(count * sizeof(float)) / detail::seconds_since(begin));
            [[maybe_unused]] volatile float sink = a[static_cast<std::size_t>(trial)];
        }
        return most;
    }();
    return best;
}

}  // namespace benchmarks
