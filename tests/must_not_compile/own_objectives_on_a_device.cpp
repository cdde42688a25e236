// expect: bilevel: a user's own objectives are computed on the host: they need a backend whose arrays lie there
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/outer/adam.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/solver.hpp>

#include <vector>

#ifdef BILEVEL_CONTROL
using backend_type = bilevel::backend::reference<double>;
#else
// What a GPU's backend says of itself.
struct backend_type : bilevel::backend::reference<double> {
    using kernels = backend_type;
    static constexpr bool arrays_are_on_the_host = false;
    kernels& worker(bilevel::integer) { return *this; }
};
#endif

struct bowl {
    double value(const auto& y) const { return 0.5 * y.squaredNorm(); }
    Eigen::VectorXd gradient(const auto& y) const { return y; }
};

int main() {
    backend_type backend;
    bilevel::problem::episode<bilevel::levels<bowl, bowl>> problem;
    problem.initial = Eigen::VectorXd::Ones(2);
    auto solver = bilevel::make_solver<bilevel::hypergradient::first_order, bilevel::inner::gradient_descent, bilevel::outer::adam>(
        backend, problem, {});
    auto state = solver.initialise({});
    const std::vector<bilevel::levels<bowl, bowl>> tasks(1);
    solver.step(state, tasks);
}
