// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/inner/none.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <limits>

using namespace bilevel;
using Eigen::MatrixXd, Eigen::VectorXd;

namespace {
constexpr integer n = 5, tasks = 2;
rows<double> row(MatrixXd& m) { return {m.data(), n, tasks, n}; }
rows<const double> row(const MatrixXd& m) { return {m.data(), n, tasks, n}; }
MatrixXd random_rows(std::uint64_t index) {
    const VectorXd v = testing::random_vector(n * tasks, index);
    return Eigen::Map<const MatrixXd>(v.data(), n, tasks);
}
}  // namespace

TEST_CASE("a step, in its place and beside it") {
    backend::reference<double> kernels;
    const inner::gradient_descent rule{.steps = 1, .step_size = 0.3};
    const MatrixXd y = random_rows(1), g = random_rows(2);
    MatrixXd beside = random_rows(3), in_place = y;
    rule.advance(kernels, row(beside), row(y), row(g));
    rule.advance(kernels, row(in_place), row(static_cast<const MatrixXd&>(in_place)), row(g));
    CHECK((beside - (y - 0.3 * g)).norm() < 1e-15);
    CHECK(in_place == beside);
}

TEST_CASE("its transposed derivative is the transpose of its derivative") {
    // y ↦ y − α H y has the derivative I − α H, here with a symmetric H: ⟨(I − α H) u, v⟩ = ⟨u, transpose(v)⟩.
    backend::reference<double> kernels;
    const inner::gradient_descent rule{.steps = 1, .step_size = 0.3};
    const VectorXd entries = testing::random_vector(n * n, 4);
    const MatrixXd square = Eigen::Map<const MatrixXd>(entries.data(), n, n), hessian = square + square.transpose();
    const MatrixXd u = random_rows(5), v = random_rows(6), hu = hessian * u, hv = hessian * v;
    MatrixXd forward = u, backward = v;
    rule.advance(kernels, row(forward), row(u), row(hu));
    rule.transpose(kernels, row(backward), row(hv));
    for (integer t = 0; t < tasks; ++t)
        CHECK(forward.col(t).dot(v.col(t)) == doctest::Approx(u.col(t).dot(backward.col(t))).epsilon(1e-13));
    CHECK(rule.mixed_scale() == -0.3);
}

TEST_CASE("settings that nothing can be computed with") {
    CHECK_THROWS_AS((inner::gradient_descent{.steps = -1}.check()), argument_error);
    for (const double bad : {0.0, -0.1, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS((inner::gradient_descent{.step_size = bad}.check()), argument_error);
    CHECK_NOTHROW((inner::gradient_descent{.steps = 0}.check()));
    static_assert(inner::gradient_descent::moves && !inner::none::moves);
}
