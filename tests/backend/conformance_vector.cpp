// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

#include <bilevel/autodiff/dual.hpp>
#include <bilevel/core/rows.hpp>

#include <iterator>

using namespace bilevel;
using conformance::argument;

namespace {

template <class Scalar> rows<Scalar> as_rows(const view<Scalar>& v) { return {v.data, v.stride, v.tasks, v.size}; }

constexpr float factors[] = {0.5f, -3, 0.125f, 2};

/// The factors of the slice's tasks, in any scalar.
template <class Scalar> struct task_factors {
    Scalar values[std::size(factors)];
    explicit task_factors(conformance::slice s) {
        for (integer t = 0; t < s.tasks; ++t) values[t] = factors[s.first + t];
    }
};

TEST_CASE_TEMPLATE("vector: the kernels give what the reference gives", Kernels, backend::reference<float>, KERNELS_UNDER_TEST) {
    const auto scalar_of = []<class K>(const K&) { return typename K::scalar(); };
    for (const integer size : {1, 16, 31, 100, 4099})
        for (const integer tasks : {1, 4})
            for (const bool shared : {false, true}) {
                CAPTURE(size);
                CAPTURE(tasks);
                const argument y{1, {size}}, x{1, {size}, shared}, number{1, {1}};
                conformance::check<Kernels>(tasks, 1, {y}, {x}, [](auto& k, auto out, auto in, auto) { k.scale(out[0], in[0], 0.75f); });
                conformance::check<Kernels>(tasks, 1, {y}, {x},
                                            [](auto& k, auto out, auto in, auto) { k.copy(as_rows(out[0]), as_rows(in[0])); });
                conformance::check<Kernels>(tasks, 1, {y}, {x}, [](auto& k, auto out, auto, auto) { k.fill(as_rows(out[0]), 0.75f); });
                conformance::check<Kernels>(tasks, 2, {y}, {x}, [&](auto& k, auto out, auto in, auto) {
                    k.add_scaled(as_rows(out[0]), decltype(scalar_of(k))(0.75f), as_rows(in[0]));
                });
                conformance::check<Kernels>(tasks, 2, {y}, {x}, [&](auto& k, auto out, auto in, auto s) {
                    const task_factors<decltype(scalar_of(k))> a(s);
                    k.add_scaled(as_rows(out[0]), a.values, as_rows(in[0]));
                });
                conformance::check<Kernels>(tasks, 2, {y}, {x}, [&](auto& k, auto out, auto in, auto s) {
                    const task_factors<decltype(scalar_of(k))> a(s);
                    k.scale_and_add(as_rows(out[0]), a.values, as_rows(in[0]));
                });
                conformance::check<Kernels>(tasks, size, {number}, {y, x}, [&](auto& k, auto out, auto in, auto s) {
                    decltype(scalar_of(k)) sums[std::size(factors)];
                    k.inner_products(sums, as_rows(in[0]), as_rows(in[1]));
                    for (integer t = 0; t < s.tasks; ++t) *out[0].at(t) = sums[t];
                });
            }
}

TEST_CASE_TEMPLATE("vector: where a task's factor is zero its vector stays, whatever is added", Kernels, backend::reference<double>,
                   KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar infinity = std::numeric_limits<scalar>::infinity();
    scalar y[] = {1, 2, 3, 4, 5, 6};
    const scalar x[] = {1, 1, infinity, std::numeric_limits<scalar>::quiet_NaN(), 10, 10}, a[] = {2, 0, -1};
    kernels.add_scaled(rows<scalar>{y, 2, 3, 2}, a, rows<const scalar>{x, 2, 3, 2});
    const scalar expected[] = {3, 4, 3, 4, -5, -4};
    for (int i = 0; i < 6; ++i) CHECK(y[i] == expected[i]);
}

TEST_CASE("vector: a zero factor that moves is not a zero factor") {
    using number = dual<double>;
    backend::reference<number> kernels;
    number y[] = {1}, x[] = {3}, a[] = {number(0, 1)};
    kernels.add_scaled(rows<number>{y, 1, 1, 1}, a, rows<const number>{x, 1, 1, 1});
    CHECK(y[0].value == 1);
    CHECK(y[0].derivative == 3);
}

TEST_CASE_TEMPLATE("vector: float is summed in double", Kernels, backend::reference<float>, FLOAT_KERNELS_UNDER_TEST) {
    // 2²⁴ + 1 + … + 1 stays 2²⁴ in float.
    Kernels kernels;
    std::vector<float> a(1025, 1), b(1025, 1);
    a[0] = b[0] = 4096;
    float sum = 0;
    kernels.inner_products(&sum, {a.data(), 0, 1, 1025}, {b.data(), 0, 1, 1025});
    CHECK(sum == 16777216.0f + 1024);
}

#if !defined(BILEVEL_CONFORMANCE_OF_CUDA)  // whose function runs on the device: tests/cuda/device.cu
TEST_CASE_TEMPLATE("vector: for_each_index calls each index once", Kernels, backend::reference<float>, FLOAT_KERNELS_UNDER_TEST) {
    Kernels kernels;
    std::vector<int> calls(7);
    kernels.for_each_index(7, [&](integer i) { ++calls[static_cast<std::size_t>(i)]; });
    for (const int n : calls) CHECK(n == 1);
    kernels.for_each_index(0, [&](integer) { FAIL_CHECK("called for nothing"); });
}
#endif

}  // namespace
