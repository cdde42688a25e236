// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_algorithm.hpp>
#include <bilevel/backend/cost.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/core/memory.hpp>
#include <bilevel/core/rows.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "networks.hpp"

/// One row of a benchmark of primitives, on whatever has the kernels.
namespace benchmarks {

using bilevel::rows;
using bilevel::view;
using bilevel::backend::convolution_algorithm;
using bilevel::backend::cost;

/// Where a primitive is called, and by what its convolutions are done.
struct place {
    std::string name;
    integer images = ways;  // of each task
    integer tasks = 1;
    convolution_algorithm pinned = convolution_algorithm::automatic;
};

/// Arrays where kernels find them, which stay as long as this does: a fresh one at each call.
class arrays {
public:
    virtual float* noise_of(integer count) = 0;
    virtual float* ones(integer count) = 0;
    // All are small.
    virtual int* labels_of(integer count) = 0;
    virtual std::uint8_t* positions_of(integer count) = 0;  // of maxima in a window

protected:
    ~arrays() = default;
};

/// The planes of one row, of all tasks, each of which begins where a cache line does, as in a workspace.
class planes {
public:
    planes(arrays& from, integer tasks) : from_(from), tasks_(tasks) {}

    template <class Shape, class Scalar = float> view<Scalar> take(integer batch, integer width = 0) {
        const integer size = batch * Shape::count(width), stride = stride_of<Scalar>(size);
        return bilevel::detail::plane<Shape>(numbers<Scalar>(whole(size, stride)), stride, tasks_, batch, width);
    }
    /// One that the tasks share.
    template <class Shape> view<float> shared(integer batch, integer width = 0) {
        return bilevel::detail::plane<Shape>(numbers<float>(batch * Shape::count(width)), 0, tasks_, batch, width);
    }
    rows<float> vector(integer size) {
        const integer stride = stride_of<float>(size);
        return {numbers<float>(whole(size, stride)), stride, tasks_, size};
    }
    /// Where noise would be no number of its kind: variances, a covariance, factors that are applied again and again.
    template <class Shape> view<float> ones() {
        const integer size = Shape::count(), stride = stride_of<float>(size);
        return bilevel::detail::plane<Shape>(from_.ones(whole(size, stride)), stride, tasks_, 1, 0);
    }

private:
    template <class Scalar> static integer stride_of(integer size) {
        constexpr integer line = static_cast<integer>(bilevel::memory::alignment / sizeof(Scalar));
        return (size + line - 1) / line * line;
    }
    integer whole(integer size, integer stride) const { return (tasks_ - 1) * stride + size; }
    template <class Scalar> Scalar* numbers(integer count) {
        if constexpr (std::is_same_v<Scalar, float>) {
            return from_.noise_of(count);
        } else if constexpr (std::is_same_v<Scalar, int>) {
            return from_.labels_of(count);
        } else {
            return from_.positions_of(count);
        }
    }

    arrays& from_;
    integer tasks_;
};

inline std::set<std::string_view>& primitives_with_rows() {
    static std::set<std::string_view> names;
    return names;
}

/// Arguments: planes -> what call(kernels, …) is given: kernels that count bill the row, those that compute are timed. A Machine, made for the row, is
/// `arrays`, has the type of its kernels and whether it times itself, and with measure(state, bill, run) runs the loop, of which run(kernels) is one iteration.
template <class Machine, class Arguments, class Call> void row(const char* primitive, const place& at, Arguments arguments, Call call) {
    primitives_with_rows().insert(primitive);
    const std::string name = primitive + ('/' + at.name) + (at.tasks == 1 ? "" : "/tasks:" + std::to_string(at.tasks));
    auto* const registered = benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
        Machine machine(at);
        planes memory(machine, at.tasks);
        const auto given = arguments(memory);
        const auto run = [&](auto& kernels) { std::apply([&](const auto&... each) { call(kernels, each...); }, given); };
        cost<float> bill;
        run(bill);
        machine.measure(state, bill, run);
    });
    registered->Unit(benchmark::kMicrosecond);
    if (Machine::times_itself) registered->UseManualTime();
}

// The row of a primitive on a Machine, with its arguments, for which p has the planes.
#define BILEVEL_ROW(NAME, AT, ...)                                                      \
    row<Machine>(                                                                       \
        #NAME, AT, [=]([[maybe_unused]] planes& p) { return std::tuple{__VA_ARGS__}; }, \
        [](auto& k, const auto&... given) { k.NAME(given...); })

}  // namespace benchmarks
