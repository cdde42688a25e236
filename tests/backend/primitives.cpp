// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/autodiff/dual.hpp>
#include <bilevel/backend/cost.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/backend/reference.hpp>

#include <doctest/doctest.h>

using namespace bilevel;

namespace {

static_assert(backend::any<backend::reference<float>>);
static_assert(backend::any<backend::reference<long double>>);
static_assert(backend::any<backend::reference<dual<double>>>);
static_assert(backend::any<backend::reference<dual<dual<double>>>>);
static_assert(backend::any<backend::cpu<float>>);
static_assert(backend::any<backend::cpu<double>>);
static_assert(backend::any<backend::cost<float>>);
static_assert(backend::kernel_set<backend::cpu_kernels<float>> && !backend::execution<backend::cpu_kernels<float>>);

// A kernel that is hidden or has another signature is missed by its own topic and by no other.
struct without_conv2d : backend::reference<double> {
    void conv2d() {}
};
static_assert(!backend::convolution_kernels<without_conv2d> && backend::matrix_kernels<without_conv2d>);
struct without_inner_products : backend::reference<double> {
    void inner_products(double*, rows<const double>) {}
};
static_assert(!backend::vector_kernels<without_inner_products> && backend::loss_kernels<without_inner_products>);

TEST_CASE("primitives: every backend has a worker for each of its workers, and says what it is") {
    backend::reference<double> reference;
    backend::cost<float> cost;
    backend::cpu<float> cpu{{.threads = 2}};
    CHECK(reference.workers() == 1);
    CHECK(&reference.worker(0) == &reference);
    CHECK(cost.workers() == 1);
    CHECK(cpu.workers() == 2);
    CHECK(&cpu.worker(0) != &cpu.worker(1));
    CHECK(cpu.describe().find("cpu<float>, 2 threads, ") == 0);
    CHECK(backend::cpu<double>().describe().find("cpu<double>, 1 thread, ") == 0);
    CHECK(reference.describe() == "reference, 1 thread");
}

TEST_CASE("primitives: the tasks of a block do not depend on the threads") {
    backend::cpu<float> one{{.threads = 1}}, three{{.threads = 3}};
    for (const integer tasks : {1, 2, 7, 100}) CHECK(one.tasks_per_block(tasks) == three.tasks_per_block(tasks));
}

TEST_CASE("primitives: a cpu without threads is refused, with the number that was given") {
    CHECK_THROWS_WITH_AS(backend::cpu<float>({.threads = 0}), doctest::Contains("threads is 0"), argument_error);
    CHECK_THROWS_WITH_AS(backend::cpu<double>({.threads = -3}), doctest::Contains("threads is -3"), argument_error);
}

}  // namespace
