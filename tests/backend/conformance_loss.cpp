// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

#include <bilevel/autodiff/dual.hpp>

using namespace bilevel;
using conformance::argument;

namespace {

struct logits {
    integer batch, ways;
    argument all() const { return {batch, {ways}}; }
};
const argument one_number{1, {1}};
const logits cases[] = {{1, 1}, {1, 5}, {25, 5}, {7, 20}, {13, 2}};

TEST_CASE_TEMPLATE("loss: the kernels give what the reference gives", Kernels, backend::reference<float>, KERNELS_UNDER_TEST) {
    for (const logits& c : cases)
        for (const integer tasks : {1, 4}) {
            CAPTURE(c.batch);
            CAPTURE(c.ways);
            const conformance::numbers<int> labels(tasks, c.batch, c.ways, 1);
            const integer terms = c.batch * c.ways + 8;  // the sums, and some roundings in exp and log
            conformance::check<Kernels>(tasks, terms, {one_number, c.all()}, {c.all()}, [&](auto& k, auto out, auto in, auto s) {
                k.softmax_cross_entropy(out[0], out[1], in[0], labels.of(s, c.batch));
            });
            conformance::check<Kernels>(tasks, terms, {c.all()}, {c.all(), c.all()},
                                        [&](auto& k, auto out, auto in, auto) { k.softmax_tangent(out[0], in[0], in[1]); });
            conformance::check<Kernels>(tasks, terms, {one_number}, {c.all(), c.all()}, [&](auto& k, auto out, auto in, auto s) {
                k.cross_entropy_tangent(out[0], in[0], in[1], labels.of(s, c.batch));
            });
            conformance::check<Kernels>(tasks, terms, {c.all()}, {c.all()}, [&](auto& k, auto out, auto in, auto s) {
                k.cross_entropy_backward(out[0], in[0], labels.of(s, c.batch));
            });
            conformance::check<Kernels>(tasks, terms, {one_number, c.all()}, {c.all(), c.all()},
                                        [&](auto& k, auto out, auto in, auto) { k.squared_error(out[0], out[1], in[0], in[1]); });
            conformance::check<Kernels>(tasks, terms, {one_number}, {c.all(), c.all()},
                                        [&](auto& k, auto out, auto in, auto) { k.squared_error_tangent(out[0], in[0], in[1]); });
            conformance::check<Kernels>(tasks, 1, {one_number}, {c.all()},
                                        [&](auto& k, auto out, auto in, auto s) { k.count_correct(out[0], in[0], labels.of(s, c.batch)); });
        }
}

TEST_CASE_TEMPLATE("loss: numbers known beforehand", Kernels, backend::reference<double>, KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const int labels[] = {0, 2};
    // Softmax of (log 1, log 2, log 5) shifted by a constant that overflows exp: (1/8, 2/8, 5/8).
    const scalar z[] = {scalar(1000), scalar(1000 + std::log(2.0)), scalar(1000 + std::log(5.0)), 0, 0, 0};
    scalar loss[1], p[6], correct[1];
    const view<const scalar> in{z, 0, 1, 2, 3, {3}};
    const view<const int> given{labels, 0, 1, 2, 1, {1}};
    kernels.softmax_cross_entropy({loss, 0, 1, 1, 1, {1}}, {p, 0, 1, 2, 3, {3}}, in, given);
    // z is rounded to 1000 ε.
    const double allowed = 1000 * static_cast<double>(std::numeric_limits<scalar>::epsilon());
    const double expected[] = {0.125, 0.25, 0.625, 1 / 3.0, 1 / 3.0, 1 / 3.0};
    for (int i = 0; i < 6; ++i) CHECK(static_cast<double>(p[i]) == doctest::Approx(expected[i]).epsilon(allowed));
    CHECK(static_cast<double>(loss[0]) == doctest::Approx((std::log(8.0) + std::log(3.0)) / 2).epsilon(allowed));

    const scalar values[] = {1, 2, 3, 4}, target[] = {0, 4, 3, 7};
    scalar residual[4];
    kernels.squared_error({loss, 0, 1, 1, 1, {1}}, {residual, 0, 1, 2, 2, {2}}, {values, 0, 1, 2, 2, {2}}, {target, 0, 1, 2, 2, {2}});
    CHECK(loss[0] == scalar(1 + 4 + 0 + 9) / 4);
    CHECK(residual[1] == -2);

    // The first of equal logits counts; an example with a NaN is wrong wherever it stands.
    const scalar nan = std::numeric_limits<scalar>::quiet_NaN();
    const scalar rows[] = {1, 3, 3, 1, 3, 3, nan, 1, 2, 5, 4, nan, 9, 2, 1};
    const int of_rows[] = {1, 2, 2, 0, 0};
    kernels.count_correct({correct, 0, 1, 1, 1, {1}}, {rows, 0, 1, 5, 3, {3}}, {of_rows, 0, 1, 5, 1, {1}});
    CHECK(correct[0] == 2);
}

TEST_CASE("loss: the tangent kernels are the derivatives of the losses, and the backward one is their transpose") {
    using number = dual<double>;
    for (const logits& c : cases) {
        const conformance::slice one{0, 1};
        const conformance::numbers<int> labels(1, c.batch, c.ways, 3);
        conformance::plane<double> z(c.all(), 1, 1), dz(c.all(), 1, 2), p(c.all(), 1, 3), dp(c.all(), 1, 4), target(c.all(), 1, 5),
            gradient(c.all(), 1, 6);
        conformance::plane<double> loss(one_number, 1, 7), dloss(one_number, 1, 8);
        conformance::plane<number> moving(c.all(), 1, 1), result(c.all(), 1, 1), moving_loss(one_number, 1, 1), fixed(c.all(), 1, 5);
        for (integer i = 0; i < z.per_task(); ++i) moving.at(0, i) = {z.at(0, i), dz.at(0, i)};
        backend::reference<number> over_duals;
        backend::reference<double> kernels;
        const auto close = [](double a, double b) { CHECK(a == doctest::Approx(b).epsilon(1e-13)); };

        over_duals.softmax_cross_entropy(moving_loss.of(one), result.of(one), moving.of(one), labels.of(one, c.batch));
        kernels.softmax_cross_entropy(loss.of(one), p.of(one), z.of(one), labels.of(one, c.batch));
        kernels.softmax_tangent(dp.of(one), p.of(one), dz.of(one));
        kernels.cross_entropy_tangent(dloss.of(one), p.of(one), dz.of(one), labels.of(one, c.batch));
        kernels.cross_entropy_backward(gradient.of(one), p.of(one), labels.of(one, c.batch));
        close(moving_loss.at(0, 0).value, loss.at(0, 0));
        close(moving_loss.at(0, 0).derivative, dloss.at(0, 0));
        close(conformance::inner_product(gradient, dz, 1), dloss.at(0, 0));
        for (integer i = 0; i < z.per_task(); ++i) close(result.at(0, i).derivative, dp.at(0, i));

        over_duals.squared_error(moving_loss.of(one), result.of(one), moving.of(one), fixed.of(one));
        kernels.squared_error(loss.of(one), p.of(one), z.of(one), target.of(one));
        kernels.squared_error_tangent(dloss.of(one), p.of(one), dz.of(one));
        close(moving_loss.at(0, 0).value, loss.at(0, 0));
        close(moving_loss.at(0, 0).derivative, dloss.at(0, 0));
    }
}

}  // namespace
