// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cost.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/host_arrays.hpp>
#include <bilevel/testing/every_primitive.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The CPU's kernels, watched: whatever program runs on them, every call can be billed by the cost kernels and timed, primitive by primitive.
namespace benchmarks {

using bilevel::integer;

/// What the calls of one primitive came to, on arrays of the same extents: those of the largest example that it was given, or of the largest parameter.
struct record {
    const char* name = "";
    std::array<integer, 4> extents{};
    double flops = 0, bytes = 0, seconds = 0;
    integer calls = 0;

    record& operator+=(const record& other) {
        flops += other.flops;
        bytes += other.bytes;
        seconds += other.seconds;
        calls += other.calls;
        return *this;
    }
};
using records = std::vector<record>;

/// Adds to the record of the same name and extents, if need be a new one.
inline void add(records& all, const record& one) {
    for (record& r : all)
        if (std::string_view(r.name) == one.name && r.extents == one.extents) {
            r += one;
            return;
        }
    all.push_back(one);
}

namespace detail {
struct largest_array {
    bool of_examples = false;
    integer size = 0;
    std::array<integer, 4> extents{};
    template <class Scalar> void see(const bilevel::view<Scalar>& v) {
        const bool examples = v.batch > 1;
        if (examples == of_examples ? v.size <= size : of_examples) return;
        *this = {examples, v.size, {v.extents[0], v.extents[1], v.extents[2], v.extents[3]}};
    }
    template <class Scalar> void see(const bilevel::rows<Scalar>& v) {
        if (!of_examples && v.size > size) *this = {false, v.size, {v.size}};
    }
    template <class Scalar> void see(const bilevel::backend::normalised<Scalar>& n) { see(n.x); }
    template <class Scalar> void see(const bilevel::backend::convolution_weights<Scalar>& w) { see(w.values); }
    template <class Other> void see(const Other&) {}
};
}  // namespace detail

/// The kernels of one worker. Unwatched they cost one branch a call.
template <class Scalar> class watched_kernels : public bilevel::backend::host_arrays {
public:
    using scalar = Scalar;

    explicit watched_kernels(bilevel::backend::cpu_kernels<Scalar>& kernels) : kernels_(&kernels) {}
    void watch(bool on) { watching_ = on; }
    records& seen() { return seen_; }

// A kernel is compiled once, not once for each layer of every program.
#if defined(__GNUC__)
#define BILEVEL_OUT_OF_LINE [[gnu::noinline]]
#else
#define BILEVEL_OUT_OF_LINE
#endif
#define BILEVEL_WATCHED(NAME)                                               \
    template <class... In> BILEVEL_OUT_OF_LINE void NAME(const In&... in) { \
        if (!watching_) return kernels_->NAME(in...);                       \
        detail::largest_array largest;                                      \
        (largest.see(in), ...);                                             \
        measure(#NAME, largest.extents, [&](auto& k) { k.NAME(in...); });   \
    }
    BILEVEL_EVERY_PRIMITIVE(BILEVEL_WATCHED)
    BILEVEL_EVERY_OPTIONAL_PRIMITIVE(BILEVEL_WATCHED)
#undef BILEVEL_WATCHED
#undef BILEVEL_OUT_OF_LINE

private:
    template <class Call> void measure(const char* name, const std::array<integer, 4>& extents, Call call) {
        bilevel::backend::cost<Scalar> bill;
        call(bill);
        const auto begin = std::chrono::steady_clock::now();
        call(*kernels_);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        add(seen_, {name, extents, bill.flops, bill.bytes, seconds, 1});
    }

    bilevel::backend::cpu_kernels<Scalar>* kernels_;
    bool watching_ = false;
    records seen_{};
};

/// `backend::cpu`, watched.
template <class Scalar> class watched_cpu {
public:
    using scalar = Scalar;
    using kernels = watched_kernels<Scalar>;

    explicit watched_cpu(const bilevel::backend::cpu_settings& settings) : cpu_(settings) {
        for (integer i = 0; i < settings.threads; ++i) kernels_.emplace_back(cpu_.worker(i));
    }
    integer workers() const { return cpu_.workers(); }
    kernels& worker(integer i) { return kernels_[static_cast<std::size_t>(i)]; }
    integer tasks_per_block(integer tasks) const { return cpu_.tasks_per_block(tasks); }
    template <class Body, class Merge> void for_each_block(integer blocks, Body&& body, Merge&& merge) {
        cpu_.for_each_block(blocks, std::forward<Body>(body), std::forward<Merge>(merge));
    }
    std::string describe() const { return cpu_.describe(); }

    /// What the calls of `program` come to, over all workers.
    template <class Program> records watch(Program program) {
        for (auto& k : kernels_) k.seen().clear();
        for (auto& k : kernels_) k.watch(true);
        program();
        records all;
        for (auto& k : kernels_) {
            k.watch(false);
            for (const record& r : k.seen()) add(all, r);
        }
        return all;
    }

private:
    bilevel::backend::cpu<Scalar> cpu_;
    std::vector<kernels> kernels_;
};

/// All primitives together.
inline record total(const records& all) {
    record sum{"all"};
    for (const record& r : all) sum += r;
    return sum;
}

/// The records that took longest, first.
inline records by_time(records all) {
    std::sort(all.begin(), all.end(), [](const record& a, const record& b) { return a.seconds > b.seconds; });
    return all;
}

/// The primitives that took longest, each with its share of the kernels' time: "conv2d 31%, …".
inline std::string longest(const records& all, std::size_t count = 4) {
    records whatever_the_extents;
    for (record r : all) {
        r.extents = {};
        add(whatever_the_extents, r);
    }
    const double seconds = total(all).seconds;
    std::string text;
    for (const record& r : by_time(whatever_the_extents)) {
        if (count-- == 0) break;
        char share[16];
        std::snprintf(share, sizeof share, " %.0f%%", 100 * r.seconds / seconds);
        text += (text.empty() ? "" : ", ") + std::string(r.name) + share;
    }
    return text;
}

}  // namespace benchmarks
