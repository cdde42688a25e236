// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

#include <bilevel/autodiff/dual.hpp>

using namespace bilevel;
using conformance::argument;

namespace {

TEST_CASE_TEMPLATE("activation: the kernels give what the reference gives", Kernels, backend::reference<float>, KERNELS_UNDER_TEST) {
    for (const double slope : {0.0, 0.25})
        for (const integer tasks : {1, 4})
            for (const argument& x : {argument{1, {1}}, argument{7, {5, 3, 17}}}) {
                using scalar = typename Kernels::scalar;
                CAPTURE(slope);
                conformance::check<Kernels>(tasks, 1, {x}, {x},
                                            [&](auto& k, auto out, auto in, auto) { k.rectify(out[0], in[0], scalar(slope)); });
                conformance::check<Kernels>(tasks, 1, {x}, {x, x}, [&](auto& k, auto out, auto in, auto) {
                    k.rectify_backward(out[0], in[0], in[1], scalar(slope));
                });
            }
}

TEST_CASE_TEMPLATE("activation: zero is below, and NaN stays", Kernels, backend::reference<double>, KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar x[] = {-2, 0, 3, std::numeric_limits<scalar>::quiet_NaN()}, dy[] = {10, 20, 30, 40};
    scalar y[4], dx[4];
    const auto vector = [](auto* data) { return view<std::remove_pointer_t<decltype(data)>>{data, 0, 1, 1, 4, {4}}; };
    kernels.rectify(vector(y), vector(x), scalar(0.5));
    CHECK(y[0] == -1);
    CHECK(y[1] == 0);
    CHECK(y[2] == 3);
    CHECK(std::isnan(y[3]));
    kernels.rectify_backward(vector(dx), vector(dy), vector(static_cast<const scalar*>(y)), scalar(0.5));
    CHECK(dx[0] == 5);
    CHECK(dx[1] == 10);
    CHECK(dx[2] == 30);
    kernels.rectify(vector(y), vector(x), scalar(0));
    CHECK(y[0] == 0);
    CHECK(std::isnan(y[3]));
}

TEST_CASE("activation: rectify_backward is the derivative of rectify") {
    backend::reference<dual<double>> over_duals;
    backend::reference<double> kernels;
    const double x[] = {-1, 2, -3, 4}, dx[] = {5, 6, 7, 8};
    double y[4], dy[4];
    dual<double> moving[4], result[4];
    for (int i = 0; i < 4; ++i) moving[i] = {x[i], dx[i]};
    over_duals.rectify({result, 0, 1, 1, 4, {4}}, {moving, 0, 1, 1, 4, {4}}, 0.125);
    kernels.rectify({y, 0, 1, 1, 4, {4}}, {x, 0, 1, 1, 4, {4}}, 0.125);
    kernels.rectify_backward({dy, 0, 1, 1, 4, {4}}, {dx, 0, 1, 1, 4, {4}}, {y, 0, 1, 1, 4, {4}}, 0.125);
    for (int i = 0; i < 4; ++i) {
        CHECK(result[i].value == y[i]);
        CHECK(result[i].derivative == dy[i]);
    }
}

}  // namespace
