// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

using namespace bilevel;
using conformance::argument;

namespace {

struct product {
    integer rows, depth, columns;
    argument x() const { return {rows, {depth}}; }
    argument w(bool shared) const { return {1, {depth, columns}, shared}; }
    argument y() const { return {rows, {columns}}; }
};

// One element, a head of five ways, extents that no tile divides, more than one block in every direction; a few rows by whole vectors of columns, and many
// by more columns than two tiles have; all kinds of few columns.
const product cases[] = {{1, 1, 1},   {25, 64, 5},  {5, 256, 5},    {7, 3, 31},     {1, 17, 33}, {13, 1, 2},  {401, 5, 3},  {3, 811, 2},
                         {2, 9, 399}, {11, 37, 96}, {101, 99, 135}, {387, 13, 130}, {98, 35, 7}, {6, 131, 8}, {103, 150, 4}};

TEST_CASE("matrix: the kernels give what the reference gives") {
    for (const product& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool accumulate : {false, true}) {
                CAPTURE(c.rows);
                CAPTURE(c.depth);
                CAPTURE(c.columns);
                CAPTURE(tasks);
                CAPTURE(accumulate);
                for (const bool shared : {false, true}) {
                    conformance::check<backend::reference<float>, PRODUCT_KERNELS_UNDER_TEST>(
                        tasks, c.depth, {c.y()}, {c.x(), c.w(shared)},
                        [&](auto& k, auto out, auto in, auto) { k.matmul(out[0], in[0], in[1], accumulate); });
                    conformance::check<backend::reference<float>, PRODUCT_KERNELS_UNDER_TEST>(
                        tasks, c.columns, {c.x()}, {c.y(), c.w(shared)},
                        [&](auto& k, auto out, auto in, auto) { k.matmul_backward_data(out[0], in[0], in[1], accumulate); });
                }
                conformance::check<backend::reference<float>, PRODUCT_KERNELS_UNDER_TEST>(
                    tasks, c.rows, {c.w(false)}, {c.x(), c.y()},
                    [&](auto& k, auto out, auto in, auto) { k.matmul_backward_weights(out[0], in[0], in[1], accumulate); });
            }
}

TEST_CASE_TEMPLATE("matrix: the two backward kernels are its transposes", Kernels, backend::reference<double>, PRODUCT_KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    for (const product& c : cases) {
        CAPTURE(c.depth);
        const integer tasks = 2;
        conformance::plane<scalar> inputs(c.x(), tasks, 1), weights(c.w(false), tasks, 2);
        const auto from = [](auto& plane, auto s) { return view<const scalar>(plane.of(s)); };
        conformance::check_adjoint<Kernels>(
            tasks, c.depth * c.columns, c.x(), c.y(), [&](auto& k, auto y, auto x, auto s) { k.matmul(y, x, from(weights, s), false); },
            [&](auto& k, auto x, auto y, auto s) { k.matmul_backward_data(x, y, from(weights, s), false); });
        conformance::check_adjoint<Kernels>(
            tasks, c.rows * c.depth, c.w(false), c.y(), [&](auto& k, auto y, auto w, auto s) { k.matmul(y, from(inputs, s), w, false); },
            [&](auto& k, auto w, auto y, auto s) { k.matmul_backward_weights(w, from(inputs, s), y, false); });
    }
}

TEST_CASE_TEMPLATE("matrix: numbers computed by hand", Kernels, backend::reference<double>, PRODUCT_KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar x[] = {1, 2, 3, 4}, w[] = {1, 10, 100, 2, 20, 200};  // (2,2)  (2,3)
    scalar y[6];
    kernels.matmul({y, 0, 1, 2, 3, {3}}, {x, 0, 1, 2, 2, {2}}, {w, 0, 1, 1, 6, {2, 3}}, false);
    const scalar expected[] = {5, 50, 500, 11, 110, 1100};
    for (int i = 0; i < 6; ++i) CHECK(y[i] == expected[i]);
}

}  // namespace
