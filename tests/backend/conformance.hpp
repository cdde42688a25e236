// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/reference.hpp>
#include <bilevel/core/array.hpp>
#include <bilevel/testing/tolerance.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <vector>

/// What every backend has to pass: its kernels against the reference in double, each task alone against all together, and the laws of linear maps.
namespace conformance {

using bilevel::integer;
using bilevel::view;

/// What becomes of a NaN in an input of a kernel: it goes where the reference takes it; or perhaps elsewhere in its task too, by products with the zeros of
/// a padding, which the reference leaves out; or none is tried.
enum class nan { as_reference, may_spread, is_not_tried };

/// An argument of a kernel.
struct argument {
    integer batch = 1;
    std::vector<integer> extents;
    bool shared = false;  // between the tasks (stride 0)
    bool positive = false;  // 0.5 … 1.5 instead of −1 … 1

    integer size() const {
        integer n = 1;
        for (const integer e : extents) n *= e;
        return n;
    }
};

/// The tasks that a kernel is given.
struct slice {
    integer first = 0;
    integer tasks = 0;
};

/// The first `count` numbers of stream `index`, uniform on −1 … 1. Drawn once, and by a generator that is cheap where nothing is optimised: to draw them for
/// every call would take longer than most kernels do.
inline const std::vector<float>& drawn(std::uint32_t index, integer count) {
    struct stream {
        std::mt19937 generator;
        std::vector<float> numbers{};
    };
    static std::map<std::uint32_t, stream> streams;
    stream& s = streams.try_emplace(index, stream{std::mt19937(index)}).first->second;
    while (s.numbers.size() < static_cast<std::size_t>(count))  // of 24 bits, which a float holds
        s.numbers.push_back(static_cast<float>(s.generator() >> 8) / (1 << 23) - 1);
    return s.numbers;
}

/// An argument with its numbers, the same ones for every scalar, and with a margin behind each task that no kernel may touch.
template <class Scalar> class plane {
public:
    plane(const argument& a, integer tasks, std::uint32_t index)
        : argument_(a), stride_(a.shared ? 0 : a.batch * a.size() + margin),
          data_(static_cast<std::size_t>((a.shared ? 1 : tasks) * (a.batch * a.size() + margin)), Scalar(guard)) {
        const integer planes = a.shared ? 1 : tasks, n = per_task();
        const float* number = drawn(index, planes * n).data();  // exact in every scalar
        for (integer t = 0; t < planes; ++t) {
            Scalar* const to = &at(t, 0);
            for (integer i = 0; i < n; ++i, ++number) to[i] = Scalar(a.positive ? 1 + *number / 2 : *number);
        }
    }

    Scalar& at(integer t, integer i) { return data_[static_cast<std::size_t>(t * stride_ + i)]; }
    integer per_task() const { return argument_.batch * argument_.size(); }
    bool is_shared() const { return argument_.shared; }
    /// Puts a NaN into the middle of a task.
    void spoil(integer t) { at(t, per_task() / 2) = std::numeric_limits<Scalar>::quiet_NaN(); }

    view<Scalar> of(slice s) {
        view<Scalar> v{data_.data() + s.first * stride_, stride_, s.tasks, argument_.batch, argument_.size(), {}};
        std::copy(argument_.extents.begin(), argument_.extents.end(), v.extents);
        return v;
    }

    bool margins_are_untouched() const {
        const auto n = static_cast<std::size_t>(per_task());
        for (std::size_t begin = n; begin < data_.size(); begin += n + margin)
            for (std::size_t i = begin; i < begin + margin; ++i)
                if (data_[i] != Scalar(guard)) return false;
        return true;
    }

    const std::vector<Scalar>& data() const { return data_; }

private:
    static constexpr integer margin = 5;  // odd, so that tasks begin at any alignment
    static constexpr double guard = 12345;
    argument argument_;
    integer stride_;
    std::vector<Scalar> data_;  // of an allocator for which a copy is one memmove, also where nothing is optimised
};

/// Runs the kernel that is tested: run(kernels, out, in, slice), with arrays of views. Erased, so that the checks compile once a backend, not once a kernel.
template <class Kernels, class Scalar = typename Kernels::scalar>
using run_of = std::function<void(Kernels&, const view<Scalar>*, const view<const Scalar>*, slice)>;

/// What is handed to a kernel, and its results.
template <class Kernels> struct call {
    using scalar = typename Kernels::scalar;
    std::vector<plane<scalar>> out, in;

    call(integer tasks, const std::vector<argument>& outputs, const std::vector<argument>& inputs) {
        std::uint32_t index = 0;
        for (const argument& a : outputs) out.emplace_back(a, tasks, index++);
        for (const argument& a : inputs) in.emplace_back(a, tasks, index++);
    }
    void operator()(Kernels& kernels, slice s, const run_of<Kernels>& run) {
        std::vector<view<scalar>> outputs;
        std::vector<view<const scalar>> inputs;
        for (auto& p : out) outputs.push_back(p.of(s));
        for (auto& p : in) inputs.push_back(p.of(s));
        run(kernels, outputs.data(), inputs.data(), s);
    }
};

/// max |a − b| / max |b| over the numbers; infinite where a is a number and b is NaN, or, unless `a_may_be_nan`, the other way round.
template <class A, class B> double largest_error(const A& a, const B& b, bool a_may_be_nan = false) {
    double error = 0, largest = 0;
    const auto* const actuals = a.data();
    const auto* const expecteds = b.data();
    for (std::size_t i = 0, n = b.size(); i < n; ++i) {
        const double expected = static_cast<double>(expecteds[i]), actual = static_cast<double>(actuals[i]);
        if (expected == 12345) continue;  // a margin
        const bool is_nan = expected != expected;
        if (is_nan != (actual != actual)) {
            if (is_nan || !a_may_be_nan) return std::numeric_limits<double>::infinity();
        } else if (!is_nan) {
            const double difference = std::abs(actual - expected), size = std::abs(expected);
            if (difference > error) error = difference;
            if (size > largest) largest = size;
        }
    }
    return largest > 0 ? error / largest : error;
}

/// Bits, where a NaN is a NaN.
template <class Scalar> bool same_bits(Scalar a, Scalar b) { return a == b ? std::signbit(a) == std::signbit(b) : a != a && b != b; }
template <class Scalar> bool same_bits(const Scalar* a, const Scalar* b, std::size_t count) {
    return std::memcmp(a, b, count * sizeof(Scalar)) == 0 ||
           std::equal(a, a + count, b, [](Scalar p, Scalar q) { return same_bits(p, q); });
}

using oracle_kernels = bilevel::backend::reference<double>;

/// What rounding may do to a result of these kernels. In TF32 each factor is rounded by at most 2⁻¹¹ of itself, and a product so by 2⁻¹⁰; the errors of
/// many products cancel as far as the products themselves do, whatever their number. Twice that.
template <class Kernels> double tolerance(integer terms) {
    const double of_scalar = bilevel::testing::tolerance<typename Kernels::scalar>(static_cast<double>(terms));
    if constexpr (requires { Kernels::rounds_to_tf32; }) {
        return of_scalar + (Kernels::rounds_to_tf32 ? 1.0 / 512 : 0.0);
    } else {
        return of_scalar;
    }
}

/// Whether these kernels, against the rule, may round otherwise for a task alone than for it together with others.
template <class Kernels> constexpr bool tasks_differ_alone() {
    if constexpr (requires { Kernels::tasks_differ_alone; }) {
        return Kernels::tasks_differ_alone;
    } else {
        return false;
    }
}

namespace detail {
/// What the reference makes of the arguments in double, and what it makes of them with a NaN in one input, for each input in turn.
struct expectation {
    call<oracle_kernels> plain;
    std::vector<call<oracle_kernels>> ill;

    expectation(integer tasks, const std::vector<argument>& outputs, const std::vector<argument>& inputs, const run_of<oracle_kernels>& run,
                nan of_input)
        : plain(tasks, outputs, inputs), ill(of_input == nan::is_not_tried ? 0 : inputs.size(), plain) {
        oracle_kernels kernels;
        plain(kernels, {0, tasks}, run);
        for (std::size_t i = 0; i < ill.size(); ++i) {
            ill[i].in[i].spoil(tasks / 2);
            ill[i](kernels, {0, tasks}, run);
        }
    }
};

template <class Kernels>
void check(const expectation& expected, integer tasks, integer terms, const std::vector<argument>& outputs,
           const std::vector<argument>& inputs, const run_of<Kernels>& run, nan of_input) {
    INFO(doctest::toString<Kernels>());
    Kernels kernels;
    const double allowed = tolerance<Kernels>(terms);
    const call<Kernels> given(tasks, outputs, inputs);

    call<Kernels> together = given;
    together(kernels, {0, tasks}, run);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
        CAPTURE(o);
        CHECK(largest_error(together.out[o].data(), expected.plain.out[o].data()) <= allowed);
        CHECK(together.out[o].margins_are_untouched());
    }

    call<Kernels> alone = given;
    for (integer t = tasks - 1; t >= 0; --t) alone(kernels, {t, 1}, run);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
        const auto &a = alone.out[o].data(), &b = together.out[o].data();
        if (tasks_differ_alone<Kernels>()) {
            CHECK(largest_error(a, b) <= 2 * allowed);
        } else {
            CHECK(same_bits(a.data(), b.data(), a.size()));
        }
    }

    const integer bad = tasks / 2;
    for (std::size_t i = 0; i < expected.ill.size(); ++i) {
        CAPTURE(i);
        call<Kernels> ill = given;
        ill.in[i].spoil(bad);
        ill(kernels, {0, tasks}, run);
        for (std::size_t o = 0; o < outputs.size(); ++o) {
            CHECK(largest_error(ill.out[o].data(), expected.ill[i].out[o].data(), of_input == nan::may_spread) <= allowed);
            if (ill.in[i].is_shared()) continue;
            for (integer t = 0; t < tasks; ++t) {
                const auto n = static_cast<std::size_t>(ill.out[o].per_task());
                if (t != bad && !same_bits(&ill.out[o].at(t, 0), &together.out[o].at(t, 0), n))
                    FAIL_CHECK("task " << t << " feels the NaN of task " << bad);
            }
        }
    }
}
}  // namespace detail

/// run_oracle says by which of the reference's kernels the result is made, where the reference has no such kernel.
template <class... Kernels, class Run, class RunOracle>
void check(integer tasks, integer terms, const std::vector<argument>& outputs, const std::vector<argument>& inputs, Run run,
           RunOracle run_oracle, nan of_input) {
    const detail::expectation expected(tasks, outputs, inputs, run_oracle, of_input);
    (detail::check<Kernels>(expected, tasks, terms, outputs, inputs, run, of_input), ...);
}

/// The kernel of each of Kernels gives what the reference gives in double, up to the rounding of sums of `terms` products; each task gives the same bits
/// alone as together with the others; and a NaN in an input leaves the other tasks alone. What the reference gives is computed once for all of Kernels.
template <class... Kernels, class Run>
void check(integer tasks, integer terms, const std::vector<argument>& outputs, const std::vector<argument>& inputs, Run run,
           nan of_input = nan::as_reference) {
    check<Kernels...>(tasks, terms, outputs, inputs, run, run, of_input);
}

template <class Scalar> double inner_product(plane<Scalar>& a, plane<Scalar>& b, integer tasks) {
    double sum = 0;
    for (integer t = 0, n = a.per_task(); t < tasks; ++t)
        for (integer i = 0; i < n; ++i) sum += static_cast<double>(a.at(t, i)) * static_cast<double>(b.at(t, i));
    return sum;
}

template <class Kernels, class Scalar = typename Kernels::scalar>
using map_of = std::function<void(Kernels&, const view<Scalar>&, const view<const Scalar>&, slice)>;

/// ⟨J v, u⟩ = ⟨v, Jᵀ u⟩ for random v, u: forward(kernels, y, x, slice) applies J, backward(kernels, x, y, slice) its transpose.
template <class Kernels>
void check_adjoint(integer tasks, integer terms, const argument& x, const argument& y, const map_of<Kernels>& forward,
                   const map_of<Kernels>& backward) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    plane<scalar> v(x, tasks, 100), u(y, tasks, 101), image(y, tasks, 102), pulled(x, tasks, 103);
    const slice all{0, tasks};
    forward(kernels, image.of(all), view<const scalar>(v.of(all)), all);
    backward(kernels, pulled.of(all), view<const scalar>(u.of(all)), all);
    const double left = inner_product(image, u, tasks), right = inner_product(v, pulled, tasks);
    const double size = std::sqrt(inner_product(image, image, tasks) * inner_product(u, u, tasks));
    CHECK(size > 0);
    CHECK(std::abs(left - right) <= tolerance<Kernels>(terms) * size);
}

/// Whole numbers 0 … bound − 1, `batch` a task.
template <class Number> class numbers {
public:
    numbers(integer tasks, integer batch, integer bound, std::uint64_t index) : batch_(batch) {
        bilevel::random::generator generator(12, bilevel::random::purpose::user, index);
        for (integer i = 0; i < tasks * batch; ++i) data_.push_back(static_cast<Number>(generator.below(bound)));
    }
    /// As the labels of `batch` examples, or with these extents as one example each.
    view<const Number> of(slice s, integer examples, const std::vector<integer>& extents = {1}) const {
        view<const Number> v{data_.data() + s.first * batch_, batch_, s.tasks, examples, batch_ / examples, {}};
        std::copy(extents.begin(), extents.end(), v.extents);
        return v;
    }

private:
    integer batch_;
    std::vector<Number> data_;
};

}  // namespace conformance
