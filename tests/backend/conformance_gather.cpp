// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

using namespace bilevel;
using conformance::argument;

namespace {

struct head {
    integer classes, features, ways;
    argument rows() const { return {1, {classes, features}}; }
    argument weights() const { return {1, {features, ways}}; }
};
const head cases[] = {{1, 1, 1}, {7, 33, 5}, {12, 4, 3}};

TEST_CASE_TEMPLATE("gather: the kernels give what the reference gives", Kernels, backend::reference<float>, KERNELS_UNDER_TEST) {
    for (const head& c : cases)
        for (const integer tasks : {1, 4}) {
            CAPTURE(c.features);
            const conformance::numbers<int> classes(tasks, c.ways, c.classes, 1);
            argument shared = c.rows();
            shared.shared = true;
            for (const argument& rows : {c.rows(), shared})
                conformance::check<Kernels>(tasks, 1, {c.weights()}, {rows}, [&](auto& k, auto out, auto in, auto s) {
                    k.gather_classes(out[0], in[0], classes.of(s, c.ways));
                });
            conformance::check<Kernels>(tasks, c.ways, {c.rows()}, {c.weights()}, [&](auto& k, auto out, auto in, auto s) {
                k.scatter_classes(out[0], in[0], classes.of(s, c.ways));
            });
        }
}

TEST_CASE_TEMPLATE("gather: rows by hand, and a shared head receives the sum over the tasks", Kernels, backend::reference<double>,
                   KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar rows[] = {1, 2, 10, 20, 100, 200};  // (3 classes, 2 features)
    const int classes[] = {2, 0, 0, 1};              // two tasks of two ways
    scalar w[8], gradient[6] = {};
    const view<const int> of_tasks{classes, 2, 2, 2, 1, {1}};
    kernels.gather_classes({w, 4, 2, 1, 4, {2, 2}}, {rows, 0, 2, 1, 6, {3, 2}}, of_tasks);
    const scalar expected[] = {100, 1, 200, 2, 1, 10, 2, 20};
    for (int i = 0; i < 8; ++i) CHECK(w[i] == expected[i]);

    kernels.scatter_classes({gradient, 0, 2, 1, 6, {3, 2}}, {w, 4, 2, 1, 4, {2, 2}}, of_tasks);
    const scalar sums[] = {2, 4, 10, 20, 100, 200};
    for (int i = 0; i < 6; ++i) CHECK(gradient[i] == sums[i]);
}

}  // namespace
