// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Problems over a user's own objectives: the hypergradient of every legal policy against the composed map x ↦ F(y_K(x)), over dual numbers and by
// differences. The objectives are neither quadratic nor separable, and a hyper-parameter problem has dim x ≠ dim y: a transposed product would show.
#include <bilevel/backend/reference.hpp>
#include <bilevel/hypergradient/first_order.hpp>
#include <bilevel/hypergradient/implicit.hpp>
#include <bilevel/hypergradient/joint.hpp>
#include <bilevel/hypergradient/unrolled.hpp>
#include <bilevel/inner/gradient_descent.hpp>
#include <bilevel/objective/differentiated.hpp>
#include <bilevel/outer/gradient_descent.hpp>
#include <bilevel/problem/hyperparameter.hpp>
#include <bilevel/problem/own_episode.hpp>
#include <bilevel/problem/proximal.hpp>
#include <bilevel/solver.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace bilevel;
using Eigen::VectorXd;
using testing::random_vector;

namespace {
constexpr double exact = 1e-13;  // a few hundred operations of order one
constexpr double by_differences = 1e-9;  // h² = 1e-10
constexpr double told_apart = 1e-2;
constexpr double h = 1e-5;
constexpr inner::gradient_descent rule{.steps = 4, .step_size = 0.1};

// Objectives of one vector, dim 3, of which each task has its own.
struct bowl {
    double a = 1, b = 0;
    template <class Y> typename Y::Scalar operator()(const Y& y) const {
        return 0.5 * a * y.squaredNorm() + sin(y[0] * y[1] + b) + 0.3 * exp(0.4 * y[2]) + b * y[1];
    }
};
// g(x, y), dim x = 2, dim y = 3.
struct penalised {
    double a = 1;
    template <class X, class Y> auto operator()(const X& x, const Y& y) const {
        return 0.5 * a * y.squaredNorm() + 0.5 * exp(0.3 * x[0]) * y[0] * y[0] + sin(x[0] * y[1]) * y[2] + x[1] * x[1] * y[0] +
               cos(x[1] + y[2]);
    }
};
// f(x, y): it sees x too.
struct validation {
    double b = 0;
    template <class X, class Y> auto operator()(const X& x, const Y& y) const {
        return 0.5 * y.squaredNorm() + y[1] * x[1] + 0.1 * x[0] * x[0] + b * y[2];
    }
};
// The same with x standing still: an outer objective by hand, which offers no gradient by x.
struct blind_validation {
    template <class X, class Y> typename Y::Scalar value(const X&, const Y& y) const { return 0.5 * y.squaredNorm() + 0.7 * y[1]; }
    template <class X, class Y> Eigen::Matrix<typename Y::Scalar, -1, 1> gradient_y(const X&, const Y& y) const {
        Eigen::Matrix<typename Y::Scalar, -1, 1> g = y;
        g[1] += 0.7;
        return g;
    }
};

using own = levels<objective::differentiated<bowl>, objective::differentiated<bowl>>;
using seeing = levels<objective::differentiated<penalised>, objective::differentiated<validation>>;
using blind = levels<objective::differentiated<penalised>, blind_validation>;
const std::vector<own> own_tasks{{objective::differentiated{bowl{1.3, 0.2}}, objective::differentiated{bowl{0.8, -0.5}}},
                                 {objective::differentiated{bowl{2.1, -0.4}}, objective::differentiated{bowl{1.1, 0.9}}}};
const std::vector<seeing> seeing_tasks{{objective::differentiated{penalised{1.3}}, objective::differentiated{validation{0.4}}},
                                       {objective::differentiated{penalised{2.2}}, objective::differentiated{validation{-1.0}}}};
const std::vector<blind> blind_tasks{{objective::differentiated{penalised{1.3}}, {}}, {objective::differentiated{penalised{2.2}}, {}}};

template <class Scalar> using vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

// The composed maps, mean over the tasks, for any scalar. The gradient of a step comes from dual numbers of that scalar.
template <class Scalar> Scalar of_episode(const vector<Scalar>& x, integer steps, double step_size, double weight) {
    Scalar sum(0);
    for (const auto& task : own_tasks) {
        vector<Scalar> y = x;
        for (integer k = 0; k < steps; ++k) y -= Scalar(step_size) * (task.inner.gradient(y) + Scalar(weight) * (y - x));
        sum += task.outer.value(y);
    }
    return sum / Scalar(double(own_tasks.size()));
}
template <class Scalar, class Tasks>
Scalar of_hyperparameter(const Tasks& tasks, const vector<Scalar>& x, const VectorXd& start, integer steps, double step_size) {
    Scalar sum(0);
    for (const auto& task : tasks) {
        vector<Scalar> y = start.cast<Scalar>();
        for (integer k = 0; k < steps; ++k) y -= Scalar(step_size) * task.inner.gradient_y(x, y);
        sum += task.outer.value(x, y);
    }
    return sum / Scalar(double(tasks.size()));
}

struct errors {
    double over_duals = 0, by_difference = 0;
};
template <class Map> errors against(const VectorXd& x, const VectorXd& gradient, Map map) {
    VectorXd over_duals(x.size());
    for (integer i = 0; i < x.size(); ++i) {
        vector<dual<double>> moving = x.cast<dual<double>>();
        moving[i].derivative = 1;
        over_duals[i] = map(moving).derivative;
    }
    const VectorXd u = random_vector(x.size(), 77);
    const double difference = testing::central_difference([&](const VectorXd& at) { return map(at); }, x, u, h);
    return {(gradient - over_duals).norm() / over_duals.norm(), std::abs(gradient.dot(u) - difference) / (over_duals.norm() * u.norm())};
}

template <class Hypergradient, class Problem, class Batch>
auto measured(const Problem& problem, const Batch& batch, const Hypergradient& policy = {}, const inner::gradient_descent& inner = rule) {
    backend::reference<double> backend;
    auto solver = make_solver<Hypergradient, inner::gradient_descent, outer::gradient_descent>(backend, problem,
                                                                                               {.inner = inner, .hypergradient = policy});
    const auto result = solver.hypergradient(solver.initialise({}), batch);
    return std::pair{VectorXd(Eigen::Map<const VectorXd>(result.vector.data(), integer(result.vector.size()))), result.report};
}
const hypergradient::unrolled recomputed{.planes = hypergradient::planes::recomputed};
const hypergradient::implicit_cg to_the_last_digit{.linear = {.iterations = 20, .tolerance = 1e-15}};
}  // namespace

TEST_CASE("own episode") {
    problem::episode<own> problem;
    problem.initial = random_vector(3, 5);
    const auto map = [](const auto& x) {
        return of_episode(typename std::remove_cvref_t<decltype(x)>::PlainObject(x), rule.steps, rule.step_size, 0);
    };

    const auto [kept, report] = measured<hypergradient::unrolled>(problem, own_tasks);
    const auto e = against(problem.initial, kept, map);
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
    CHECK(report.loss == doctest::Approx(map(problem.initial)).epsilon(exact));
    CHECK((measured<hypergradient::unrolled>(problem, own_tasks, recomputed).first - kept).norm() == 0);

    const auto f = against(problem.initial, measured<hypergradient::first_order>(problem, own_tasks).first, map);
    CHECK(f.over_duals > told_apart);
    CHECK(f.by_difference > told_apart);

    const auto j = against(problem.initial, measured<hypergradient::joint>(problem, own_tasks).first,
                           [](const auto& x) { return of_episode(typename std::remove_cvref_t<decltype(x)>::PlainObject(x), 0, 0, 0); });
    CHECK(j.over_duals < exact);
    CHECK(j.by_difference < by_differences);
}

TEST_CASE("own proximal problem: unrolled through start and pull, implicit at the solution") {
    constexpr double weight = 1.7;
    problem::proximal<problem::episode<own>> problem;
    problem.initial = random_vector(3, 5);
    problem.weight = weight;
    const auto map = [](integer steps) {
        return [steps](const auto& x) {
            return of_episode(typename std::remove_cvref_t<decltype(x)>::PlainObject(x), steps, rule.step_size, weight);
        };
    };
    const auto kept = measured<hypergradient::unrolled>(problem, own_tasks).first;
    const auto e = against(problem.initial, kept, map(rule.steps));
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
    CHECK((measured<hypergradient::unrolled>(problem, own_tasks, recomputed).first - kept).norm() == 0);

    constexpr integer many = 400;
    const auto [implicit, report] =
        measured<hypergradient::implicit_cg>(problem, own_tasks, to_the_last_digit, {.steps = many, .step_size = rule.step_size});
    const auto i = against(problem.initial, implicit, map(many));
    CHECK(i.over_duals < exact);
    CHECK(i.by_difference < by_differences);
    CHECK(report.inner_gradient_norm < exact);
    // After a few steps the implicit vector is another one than the unrolled one: it does not look at the path.
    CHECK(against(problem.initial, measured<hypergradient::implicit_cg>(problem, own_tasks, to_the_last_digit).first, map(rule.steps))
              .over_duals > told_apart);
    // First order drops the pull, but sees the start: legal, and another vector.
    CHECK(against(problem.initial, measured<hypergradient::first_order>(problem, own_tasks).first, map(rule.steps)).over_duals >
          told_apart);
}

TEST_CASE("hyper-parameters, dim x = 2, dim y = 3, an outer objective that sees x") {
    problem::hyperparameter<seeing> problem;
    problem.initial = random_vector(2, 6);
    problem.initial_inner = random_vector(3, 7);
    const auto map = [&](integer steps) {
        return [&problem, steps](const auto& x) {
            return of_hyperparameter(seeing_tasks, typename std::remove_cvref_t<decltype(x)>::PlainObject(x), problem.initial_inner, steps,
                                     rule.step_size);
        };
    };
    const auto kept = measured<hypergradient::unrolled>(problem, seeing_tasks).first;
    CHECK(kept.size() == 2);
    const auto e = against(problem.initial, kept, map(rule.steps));
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
    CHECK((measured<hypergradient::unrolled>(problem, seeing_tasks, recomputed).first - kept).norm() == 0);

    const auto i = against(
        problem.initial,
        measured<hypergradient::implicit_cg>(problem, seeing_tasks, to_the_last_digit, {.steps = 600, .step_size = rule.step_size}).first,
        map(600));
    CHECK(i.over_duals < exact);
    CHECK(i.by_difference < by_differences);

    // First order keeps the route through f alone: legal, and another vector.
    CHECK(against(problem.initial, measured<hypergradient::first_order>(problem, seeing_tasks).first, map(rule.steps)).over_duals >
          told_apart);
}

TEST_CASE("hyper-parameters, an outer objective that does not see x") {
    problem::hyperparameter<blind> problem;
    static_assert(!decltype(problem)::outer_depends_on_x<double> && problem::hyperparameter<seeing>::outer_depends_on_x<double>);
    problem.initial = random_vector(2, 6);
    problem.initial_inner = random_vector(3, 7);
    const auto e = against(problem.initial, measured<hypergradient::unrolled>(problem, blind_tasks).first, [&](const auto& x) {
        return of_hyperparameter(blind_tasks, typename std::remove_cvref_t<decltype(x)>::PlainObject(x), problem.initial_inner, rule.steps,
                                 rule.step_size);
    });
    CHECK(e.over_duals < exact);
    CHECK(e.by_difference < by_differences);
}

TEST_CASE("adapt: y_K of each task; in a hyper-parameter problem of its own size") {
    backend::reference<double> backend;
    problem::hyperparameter<seeing> problem;
    problem.initial = random_vector(2, 6);
    problem.initial_inner = random_vector(3, 7);
    auto solver = make_solver<hypergradient::unrolled, inner::gradient_descent, outer::gradient_descent>(backend, problem, {.inner = rule});
    const auto adapted = solver.adapt(solver.initialise({}), seeing_tasks);
    REQUIRE(adapted.size == 3);
    for (integer t = 0; t < 2; ++t) {
        VectorXd y = problem.initial_inner;
        for (integer k = 0; k < rule.steps; ++k) y -= rule.step_size * seeing_tasks[std::size_t(t)].inner.gradient_y(problem.initial, y);
        for (integer i = 0; i < 3; ++i) CHECK(adapted.rows_of_tasks().row(t)[i] == doctest::Approx(y[i]).epsilon(exact));
    }
}

namespace {
// An objective whose vectors have so many elements more than they should.
struct too_long {
    integer gradient_by = 0, product_by = 0, mixed_by = 0;
    template <class X, class Y> double value(const X&, const Y& y) const { return y.squaredNorm(); }
    template <class X, class Y> VectorXd gradient_y(const X&, const Y& y) const { return VectorXd::Ones(y.size() + gradient_by); }
    template <class X, class Y, class V> VectorXd hessian_vector(const X&, const Y& y, const V&) const {
        return VectorXd::Ones(y.size() + product_by);
    }
    template <class X, class Y, class V> VectorXd mixed_product(const X& x, const Y&, const V&) const {
        return VectorXd::Ones(x.size() + mixed_by);
    }
};
}  // namespace

TEST_CASE("a vector of a user's objective that has another size is refused by its name") {
    using tasks = levels<too_long, too_long>;
    problem::hyperparameter<tasks> problem;
    problem.initial = random_vector(2, 5);
    problem.initial_inner = random_vector(3, 6);
    const auto refused = [&](const too_long& inner, const too_long& outer) {
        try {
            measured<hypergradient::unrolled>(problem, std::vector<tasks>{{{}, {}}, {inner, outer}});
        } catch (const argument_error& e) {
            return std::string(e.what());
        }
        return std::string("no exception");
    };
    CHECK(refused({}, {}) == "no exception");
    CHECK(refused({.gradient_by = 1}, {}).find("gradient_y of the objective has 4 elements, expected 3") != std::string::npos);
    CHECK(refused({}, {.gradient_by = -1}).find("gradient_y of the objective has 2 elements, expected 3") != std::string::npos);
    CHECK(refused({.product_by = 1}, {}).find("hessian_vector of the objective has 4 elements, expected 3") != std::string::npos);
    CHECK(refused({.mixed_by = 1}, {}).find("mixed_product of the objective has 3 elements, expected 2") != std::string::npos);
}

namespace {
// Objectives whose functions have captured matrices, which know one scalar alone.
template <class Scalar> struct over_matrices {
    using matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
    static matrix numbers(integer rows, integer columns, std::uint64_t index) {
        const VectorXd v = random_vector(rows * columns, index);
        return (0.4 * Eigen::Map<const Eigen::MatrixXd>(v.data(), rows, columns)).template cast<Scalar>();
    }
    matrix a = numbers(4, 3, 50), b = numbers(4, 2, 51), s = numbers(4, 1, 52);

    auto of_y(Scalar weight) const {
        return objective::differentiated([*this, weight](const auto& y) { return weight * (a * y - s).squaredNorm(); });
    }
    auto of_both(Scalar weight) const {
        return objective::differentiated([*this, weight](const auto& x, const auto& y) {
            return weight * (a * y - s).squaredNorm() + (b * x).squaredNorm() * y.squaredNorm();
        });
    }
    template <class Hypergradient> VectorXd hypergradient_of(auto problem, auto inner, auto outer) const {
        backend::reference<Scalar> backend;
        auto solver = make_solver<Hypergradient, inner::gradient_descent, outer::gradient_descent>(backend, problem, {.inner = rule});
        const auto g = solver.hypergradient(solver.initialise({}), std::vector{levels{inner, outer}});
        return Eigen::Map<const vector<Scalar>>(g.vector.data(), integer(g.vector.size())).template head<2>().template cast<double>();
    }
    template <class Hypergradient> VectorXd of_episode() const {
        const auto inner = of_y(Scalar(0.5)), outer = of_y(Scalar(0.7));
        problem::episode<levels<std::remove_const_t<decltype(inner)>, std::remove_const_t<decltype(outer)>>> problem;
        problem.initial = random_vector(3, 53);
        return hypergradient_of<Hypergradient>(problem, inner, outer);
    }
    template <class Hypergradient> VectorXd of_hyperparameter() const {
        const auto inner = of_both(Scalar(0.5)), outer = of_both(Scalar(0.7));
        problem::hyperparameter<levels<std::remove_const_t<decltype(inner)>, std::remove_const_t<decltype(outer)>>> problem;
        problem.initial = random_vector(2, 54);
        problem.initial_inner = random_vector(3, 55);
        return hypergradient_of<Hypergradient>(problem, inner, outer);
    }
};
}  // namespace

TEST_CASE("objectives that have captured matrices are asked in the scalar of their backend alone") {
    const over_matrices<double> of_double;
    const over_matrices<float> of_float;
    // y_K and its derivative by hand:  ∇g = Aᵀ(A y − s),  M = I − α AᵀA,  dF/dx = M^K 1.4 Aᵀ(A y_K − s).
    const Eigen::MatrixXd hessian = of_double.a.transpose() * of_double.a;
    VectorXd y = random_vector(3, 53);
    const auto residual = [&] { return VectorXd(of_double.a.transpose() * (of_double.a * y - of_double.s)); };
    for (integer k = 0; k < rule.steps; ++k) y -= rule.step_size * residual();
    VectorXd expected = 1.4 * residual();
    for (integer k = 0; k < rule.steps; ++k) expected -= rule.step_size * hessian * expected;
    const VectorXd of_episode = of_double.of_episode<hypergradient::unrolled>();
    CHECK((of_episode - expected.head(2)).norm() < exact);
    const VectorXd of_hyperparameter = of_double.of_hyperparameter<hypergradient::unrolled>();
    CHECK(of_hyperparameter.norm() > told_apart);
    CHECK((of_double.of_hyperparameter<hypergradient::first_order>() - of_hyperparameter).norm() > told_apart);

    constexpr double of_rounding = 1e-5;  // some hundred operations in float
    CHECK((of_float.of_episode<hypergradient::unrolled>() - of_episode).norm() < of_rounding);
    CHECK((of_float.of_hyperparameter<hypergradient::unrolled>() - of_hyperparameter).norm() < of_rounding);
}

TEST_CASE("a problem without a place to begin is refused in words") {
    backend::reference<double> backend;
    const auto words = [&](const auto& problem) -> std::string {
        try {
            make_solver<hypergradient::unrolled, inner::gradient_descent, outer::gradient_descent>(backend, problem, {});
        } catch (const argument_error& e) {
            return e.what();
        }
        return "no exception";
    };
    problem::episode<own> episode;
    CHECK(words(episode).find("episode: initial is empty") == 0);
    CHECK(words(problem::proximal<problem::episode<own>>{}).find("episode: initial is empty") == 0);
    problem::hyperparameter<seeing> both;
    CHECK(words(both).find("hyperparameter: initial is empty") == 0);
    both.initial = VectorXd::Ones(2);
    CHECK(words(both).find("hyperparameter: initial_inner is empty") == 0);
    both.initial_inner = VectorXd::Ones(3);
    CHECK(words(both) == "no exception");
}
