// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What nothing can be computed with is refused in words, and a computation that leaves the finite range leaves the state as it was.
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cpu.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/objective/differentiated.hpp>
#include <bilevel/objective/mean_squared_error.hpp>
#include <bilevel/problem/own_episode.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/networks.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

using namespace bilevel;
using objective::cross_entropy;
using network = fixture::two_blocks;

namespace {
const fixture::sizes size{.tasks = 3, .outputs = 3, .support = 6, .query = 9};
const task<network, cross_entropy> classification{.outputs = size.outputs};
constexpr inner::gradient_descent rule{.steps = 2, .step_size = 0.2};
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
using episodes = fixture::episodes<double, network, cross_entropy>;

// The message of an exception of type Error, or what happened instead.
template <class Error, class F> std::string refusal(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    } catch (const std::exception& e) {
        return std::string("another exception: ") + e.what();
    }
    return "no exception";
}
bool says(const std::string& message, std::initializer_list<const char*> words) {
    for (const char* word : words)
        if (message.find(word) == std::string::npos) {
            MESSAGE("'" << message << "' does not say '" << word << "'");
            return false;
        }
    return true;
}
bool same(const auto& a, const auto& b) {
    return a.parameters == b.parameters && a.statistics == b.statistics && a.moments == b.moments && a.iteration == b.iteration;
}
}  // namespace

TEST_CASE("settings") {
    backend::reference<double> backend;
    const auto with = [&](const typename maml_solver<backend::reference<double>, task<network, cross_entropy>>::settings_type& settings) {
        return refusal<argument_error>([&] { maml(backend, classification, settings); });
    };
    CHECK(says(with({.inner = {.steps = -1}}), {"steps", "-1"}));
    CHECK(says(with({.inner = {.step_size = nan_value}}), {"step_size", "nan"}));
    CHECK(says(with({.outer = {.step_size = -1}}), {"outer", "step_size", "-1"}));
    CHECK(says(with({.clipping = {.norm = 0}}), {"clipping", "norm"}));
    CHECK(says(with({.statistics_momentum = 0}), {"statistics_momentum"}));
    CHECK(says(with({.statistics_momentum = 1.5}), {"statistics_momentum", "1.5"}));
    CHECK(with({}) == "no exception");
    CHECK(says(refusal<argument_error>([&] { imaml(backend, classification, 1, {.hypergradient = {.linear = {.iterations = 0}}}); }),
               {"conjugate_gradient", "iterations"}));
    CHECK(says(refusal<argument_error>([&] { imaml(backend, classification, 1, {.hypergradient = {.linear = {.tolerance = 1}}}); }),
               {"conjugate_gradient", "tolerance", "1"}));
    for (const double weight : {0.0, -1.0, infinity, nan_value})
        CHECK(says(refusal<argument_error>([&] { imaml(backend, classification, weight); }), {"proximal", "weight", "positive"}));
    auto no_outputs = maml(backend, task<network, cross_entropy>{});
    CHECK(says(refusal<argument_error>([&] { no_outputs.initialise({}); }), {"outputs", "0"}));
    // Of one class every answer is right.
    auto one_class = maml(backend, task<network, cross_entropy>{.outputs = 1});
    CHECK(says(refusal<argument_error>([&] { one_class.initialise({}); }), {"outputs", "1", "ways", "2"}));
    auto one_class_of_many = mtl(backend, task<network, cross_entropy>{.outputs = 1}, 9);
    CHECK(says(refusal<argument_error>([&] { one_class_of_many.initialise({}); }), {"outputs", "1", "ways", "2"}));
    auto one_number = maml(backend, task<network, objective::mean_squared_error>{.outputs = 1});
    CHECK(refusal<argument_error>([&] { one_number.initialise({}); }) == "no exception");
    auto no_classes = mtl(backend, classification, 0);
    CHECK(says(refusal<argument_error>([&] { no_classes.initialise({}); }), {"classes", "0"}));
}

TEST_CASE("settings that are numbers, but none in the scalar that computes with them") {
    backend::reference<float> narrow;
    backend::reference<double> wide;
    using settings = typename maml_solver<backend::reference<float>, task<network, cross_entropy>>::settings_type;
    const auto refused = [&](const settings& s) {
        CHECK(refusal<argument_error>([&] { maml(wide, classification, s); }) == "no exception");
        return refusal<argument_error>([&] { maml(narrow, classification, s); });
    };
    CHECK(says(refused({.inner = {.step_size = 1e-50}}), {"inner", "step_size"}));
    CHECK(says(refused({.inner = {.step_size = 1e39}}), {"inner", "step_size"}));
    CHECK(says(refused({.outer = {.step_size = 1e39}}), {"outer", "step_size"}));
    CHECK(says(refused({.outer = {.step_size = 1e38}}), {"outer", "step_size"}));  // the first step is ten times as long
    CHECK(says(refused({.outer = {.beta1 = 1 - 1e-9}}), {"outer", "beta1"}));
    CHECK(says(refused({.outer = {.beta2 = 1 - 1e-9}}), {"outer", "beta2"}));
    CHECK(says(refused({.outer = {.epsilon = 1e-50}}), {"outer", "epsilon"}));
    CHECK(says(refused({.clipping = {.value = 1e-50}}), {"clipping", "value"}));
    CHECK(says(refused({.clipping = {.norm = 1e-50}}), {"clipping", "norm"}));
    CHECK(says(refused({.statistics_momentum = 1e-50}), {"statistics_momentum"}));
    for (const double weight : {1e-50, 1e39})
        CHECK(says(refusal<argument_error>([&] { imaml(narrow, classification, weight); }), {"proximal", "weight"}));
}

TEST_CASE("batches that do not fit") {
    backend::reference<double> backend;
    auto solver = maml(backend, classification, {.inner = rule});
    auto state = solver.initialise({.seed = 1});
    const auto before = state;
    episodes data(size);
    const auto with = [&](const episodes::view& batch) { return refusal<argument_error>([&] { solver.step(state, batch); }); };

    auto batch = data.all();
    batch.tasks = 0;
    CHECK(says(with(batch), {"0 tasks"}));
    batch = data.all();
    batch.outputs = 4;
    CHECK(says(with(batch), {"4 outputs", "3"}));
    batch = data.all();
    batch.support.count = 0;
    CHECK(says(with(batch), {"support", "empty"}));
    batch = data.all();
    batch.query.inputs = nullptr;
    CHECK(says(with(batch), {"query", "empty"}));
    batch = data.all();
    batch.query.targets = nullptr;
    CHECK(says(with(batch), {"query", "empty"}));
    batch = data.all();
    batch.support.input_size = episodes::pixels;
    batch.query.input_size = episodes::pixels + 1;
    CHECK(says(with(batch), {"inputs", "query", std::to_string(episodes::pixels + 1).c_str(), std::to_string(episodes::pixels).c_str()}));
    batch = data.all();
    batch.query.image = {1, 8, 8};  // channels first, which are as many numbers
    CHECK(says(with(batch), {"images", "query", "1x8x8 (height, width, channels)", "8x8x1"}));
    batch.query.image = {8, 8, 1};
    batch.support.image = {8, 8, 1};
    CHECK(with(batch) == "no exception");
    state = before;
    for (const int label : {-1, 3}) {
        data.support_targets[8] = label;  // task 1, example 2
        CHECK(says(with(data.all()), {"label", std::to_string(label).c_str(), "example 2", "support", "task 1"}));
        data.support_targets[8] = 2;
        data.query_targets[25] = label;  // task 2, example 7
        CHECK(says(with(data.all()), {"label", std::to_string(label).c_str(), "example 7", "query", "task 2"}));
        data.query_targets[25] = 1;
    }
    CHECK(same(state, before));

    // Adaptation needs no query set, evaluation does; a prediction needs inputs.
    batch = data.all();
    batch.query = {};
    CHECK(refusal<argument_error>([&] { solver.adapt(state, batch); }) == "no exception");
    CHECK(says(refusal<argument_error>([&] { solver.evaluate(state, batch); }), {"query", "empty"}));
    data.query_targets[25] = 3;
    CHECK(says(refusal<argument_error>([&] { solver.evaluate(state, data.all()); }), {"label 3", "query", "task 2"}));
    data.query_targets[25] = 1;
    const auto adapted = solver.adapt(state, batch);
    CHECK(says(refusal<argument_error>([&] { solver.predict(adapted, nullptr, 3); }), {"inputs"}));
    CHECK(with(data.all()) == "no exception");
}

TEST_CASE("states and adapted networks that do not fit") {
    backend::reference<double> backend;
    auto solver = maml(backend, classification, {.inner = rule});
    const auto state = solver.initialise({.seed = 1});
    const episodes data(size);
    auto small = state;
    small.parameters.resize(10);
    auto without_statistics = state;
    without_statistics.statistics.clear();
    for (const auto& [other_state, words] : {std::pair{small, "10 parameters"}, std::pair{without_statistics, "0 statistics"}}) {
        const auto& broken = other_state;  // clang 14 captures no structured bindings
        const char* const what = words;
        auto other = broken;
        CHECK(says(refusal<argument_error>([&] { solver.step(other, data.all()); }), {"state", what}));
        CHECK(same(other, broken));
        CHECK(says(refusal<argument_error>([&] { solver.hypergradient(broken, data.all()); }), {"state", what}));
        CHECK(says(refusal<argument_error>([&] { solver.adapt(broken, data.all()); }), {"state", what}));
        CHECK(says(refusal<argument_error>([&] { solver.evaluate(broken, data.all()); }), {"state", what}));
    }
    // Another optimiser keeps less: its state is no state of Adam's, though all of it can be asked about.
    auto of_descent = state;
    of_descent.moments.clear();
    CHECK(says(refusal<argument_error>([&] { solver.step(of_descent, data.all()); }), {"state", "0 numbers of the outer optimiser"}));
    CHECK(refusal<argument_error>([&] { solver.evaluate(of_descent, data.all()); }) == "no exception");

    CHECK(says(refusal<argument_error>([&] { solver.adapt(state, data.all(), {.inner_steps = -2}); }), {"inner_steps", "-2"}));
    const auto adapted = solver.adapt(state, data.all());
    const auto predict = [&](const auto& networks) {
        return refusal<argument_error>([&] { solver.predict(networks, data.query_inputs.data(), size.query); });
    };
    CHECK(predict(adapted) == "no exception");
    auto broken = adapted;
    broken.tasks = 0;
    CHECK(says(predict(broken), {"no adapted networks"}));
    broken = adapted;
    broken.size -= 1;
    CHECK(says(predict(broken), {"adapted", "parameters a task"}));
    broken = adapted;
    broken.parameters.resize(broken.parameters.size() - 1);
    CHECK(says(predict(broken), {"adapted", "padding"}));
    broken = adapted;
    broken.statistics.clear();
    CHECK(says(predict(broken), {"adapted", "statistics"}));
}

TEST_CASE("one example of which batch norm sees one number a channel") {
    // All of its examples would be taken for the mean.
    using to_one_position = nn::network<nn::sequential<nn::convolution<shape<4, 4, 1>, 5, 2>, nn::batch_norm_relu<shape<2, 2, 5>>,
                                                       nn::convolution<shape<2, 2, 5>, 5, 2>, nn::batch_norm_relu<shape<1, 1, 5>>>,
                                        nn::linear<shape<1, 1, 5>>>;
    static_assert(to_one_position::input::count() == 16);
    CHECK(to_one_position::fewest_normalised() == 1);
    CHECK(network::fewest_normalised() == 4);
    CHECK(nn::mlp<shape<3>, 4>::fewest_normalised() == 0);

    const task<to_one_position, cross_entropy> what{.outputs = 2};
    const auto of = [](integer support, integer query) {
        return fixture::episodes<double, to_one_position, cross_entropy>({.tasks = 2, .outputs = 2, .support = support, .query = query});
    };
    const auto both = of(2, 2), one_query = of(2, 1), one_support = of(1, 2);
    backend::reference<double> backend;
    auto solver = maml(backend, what, {.inner = rule});
    auto state = solver.initialise({.seed = 1});
    const auto before = state;
    CHECK(says(refusal<argument_error>([&] { solver.step(state, one_query.all()); }), {"query set", "one example", "batch norm"}));
    CHECK(says(refusal<argument_error>([&] { solver.step(state, one_support.all()); }), {"support set", "one example", "batch norm"}));
    CHECK(says(refusal<argument_error>([&] { solver.adapt(state, one_support.all()); }), {"support set", "one example", "batch norm"}));
    CHECK(same(state, before));
    auto adapted = solver.adapt(state, both.all());
    const auto predict = [&](auto& with, integer count) {
        return refusal<argument_error>([&] { with.predict(adapted, both.query_inputs.data(), count); });
    };
    CHECK(says(predict(solver, 1), {"predict", "one example", "more of them", "running statistics"}));
    CHECK(predict(solver, 2) == "no exception");
    adapted = solver.adapt(state, both.all(), {.normalisation = autodiff::normalisation::running});
    CHECK(predict(solver, 1) == "no exception");
    // It adapts by the statistics of the support set all the same, where it adapts.
    CHECK(
        says(refusal<argument_error>([&] { solver.adapt(state, one_support.all(), {.normalisation = autodiff::normalisation::running}); }),
             {"support set", "one example"}));
    adapted = solver.adapt(state, one_support.all(), {.inner_steps = 0});
    CHECK(predict(solver, 2) == "no exception");

    auto joint = mtl(backend, what, 12);  // whose training has no support set, and whose deployment reads the running statistics
    auto body = joint.initialise({.seed = 1});
    CHECK(refusal<argument_error>([&] { joint.step(body, one_support.all()); }) == "no exception");
    CHECK(says(refusal<argument_error>([&] { joint.step(body, one_query.all()); }), {"query set", "one example", "batch norm"}));
    adapted = joint.adapt(body, one_support.all());
    CHECK(predict(joint, 1) == "no exception");
    CHECK(says(refusal<argument_error>([&] { joint.adapt(body, one_support.all(), {.normalisation = autodiff::normalisation::batch}); }),
               {"support set", "one example", "running statistics"}));
}

TEST_CASE("mtl: class ids") {
    backend::reference<double> backend;
    auto solver = mtl(backend, classification, size.classes);
    auto state = solver.initialise({.seed = 1});
    const auto before = state;
    episodes data(size);
    auto batch = data.all();
    batch.classes = nullptr;
    CHECK(says(refusal<argument_error>([&] { solver.step(state, batch); }), {"class ids"}));
    data.classes[4] = 12;
    CHECK(says(refusal<argument_error>([&] { solver.step(state, data.all()); }), {"class id 12", "task 1", "11"}));
    CHECK(same(state, before));
}

TEST_CASE("a batch without anything") {
    backend::reference<double> backend;
    auto solver = maml(backend, classification);
    CHECK(says(refusal<argument_error>([&] { solver.hypergradient(solver.initialise({}), episodes::view{}); }), {"0 tasks"}));
}

namespace {
/// Makes two solvers.
template <class Make> void check_that_a_step_can_fail(Make make, bool inner = true) {
    const auto check = [&](auto solver, auto again) {
        const episodes good(size);
        episodes broken(size);
        auto state = solver.initialise({.seed = 1});
        solver.step(state, good.all());
        const auto before = state;
        if (inner) {
            broken.support_inputs[std::size_t(1 * size.support * episodes::pixels + 5)] = nan_value;
            const std::string said = refusal<numeric_error>([&] { solver.step(state, broken.all()); });
            CHECK(says(said, {"task 1", "inner step 0", "not finite"}));
            CHECK(same(state, before));
        }
        broken = episodes(size);
        broken.query_inputs[std::size_t(2 * size.query * episodes::pixels + 5)] = infinity;
        CHECK(says(refusal<numeric_error>([&] { solver.step(state, broken.all()); }), {"task 2", "outer loss"}));
        CHECK(same(state, before));
        CHECK(says(refusal<numeric_error>([&] { solver.hypergradient(state, broken.all()); }), {"task 2"}));

        // It can go on: what was not finite is forgotten.
        auto other = again.initialise({.seed = 1});
        again.step(other, good.all());
        again.step(other, good.all());
        solver.step(state, good.all());
        CHECK(same(state, other));
    };
    check(make(), make());
}
}  // namespace

TEST_CASE("a loss that is not finite names task and step, and the state is as it was") {
    backend::reference<double> backend;
    check_that_a_step_can_fail([&] { return maml(backend, classification, {.inner = rule}); });
    check_that_a_step_can_fail(
        [&] { return maml(backend, classification, {.inner = rule, .hypergradient = {.planes = hypergradient::planes::recomputed}}); });
    check_that_a_step_can_fail([&] { return fomaml(backend, classification, {.inner = rule}); });
    check_that_a_step_can_fail([&] { return imaml(backend, classification, 10, {.inner = rule}); });
    check_that_a_step_can_fail([&] { return anil(backend, classification, {.inner = rule}); });
    check_that_a_step_can_fail([&] { return mtl(backend, classification, size.classes); }, false);
}

namespace {
// An implicit hypergradient at y = 0, where the inner level stays.
void check_that_a_linear_system_is_refused(const auto& inner, const auto& outer) {
    using own = levels<std::remove_cvref_t<decltype(inner)>, std::remove_cvref_t<decltype(outer)>>;
    const std::vector<own> batch{{inner, outer}};
    backend::reference<double> backend;
    problem::proximal<problem::episode<own>> problem;
    problem.initial = Eigen::VectorXd::Zero(3);
    problem.weight = 1;
    auto solver = make_solver<hypergradient::implicit_cg, inner::gradient_descent, outer::adam>(backend, problem, {});
    auto state = solver.initialise({});
    const auto before = state;
    CHECK(says(refusal<numeric_error>([&] { solver.step(state, batch); }), {"task 0", "residual", "nan"}));
    CHECK(same(state, before));
}
}  // namespace

TEST_CASE("a linear system that is not finite is not taken for solved") {
    // The outer loss |y| is finite and its gradient 0/0.
    check_that_a_linear_system_is_refused(objective::differentiated([](const auto& y) { return 0.5 * y.squaredNorm(); }),
                                          objective::differentiated([](const auto& y) {
                                              using std::sqrt;
                                              return sqrt(y.squaredNorm());
                                          }));
    // vᵀAv is more than there are numbers for.
    check_that_a_linear_system_is_refused(
        objective::differentiated([](const auto& y) { return 0.5 * std::numeric_limits<double>::max() * y.squaredNorm(); }),
        objective::differentiated([](const auto& y) { return y.sum(); }));
}

TEST_CASE_TEMPLATE("images whose variance is no number of the scalar are not taken for constant", Backend, backend::reference<float>,
                   backend::cpu<float>) {
    const auto check = [](auto what) {
        using images = fixture::episodes<float, typename decltype(what)::network, cross_entropy>;
        images data(size);
        Backend backend;
        auto solver = maml(backend, what, {.inner = rule});
        auto state = solver.initialise({.seed = 1});
        const auto before = state;
        for (float& pixel : data.support_inputs) pixel *= 1e25f;
        CHECK(says(refusal<numeric_error>([&] { solver.step(state, data.all()); }), {"task 0", "inner step 0", "not finite"}));
        CHECK(same(state, before));
        images other(size);
        for (float& pixel : other.query_inputs) pixel *= 1e25f;
        CHECK(says(refusal<numeric_error>([&] { solver.step(state, other.all()); }), {"task 0", "outer loss"}));
        CHECK(same(state, before));
    };
    check(classification);                                              // whose first block folds
    check(task<fixture::smooth, cross_entropy>{.outputs = size.outputs});  // whose does not
    CHECK(backend::inverse_deviation_of(4.0f, 0.0f) == 0.5f);
    CHECK(std::isnan(backend::inverse_deviation_of(std::numeric_limits<float>::infinity(), 1e-5f)));
}

TEST_CASE("mtl: a support set that is not finite is no task, and not one that is answered by chance") {
    backend::reference<double> backend;
    auto solver = mtl(backend, classification, size.classes);
    const auto state = solver.initialise({.seed = 1});
    episodes data(size);
    for (const double bad : {nan_value, infinity}) {
        data.support_inputs[std::size_t(1 * size.support * episodes::pixels + 5)] = bad;
        const auto adapted = solver.adapt(state, data.all());
        CHECK(adapted.outcomes[0].failed_step == -1);
        CHECK(adapted.outcomes[1].failed_step == 0);
        CHECK(says(refusal<numeric_error>([&] { solver.predict(adapted, data.query_inputs.data(), size.query); }), {"task 1", "finite"}));
        const std::string said = refusal<numeric_error>([&] { solver.evaluate(state, data.all()); });
        CHECK(says(said, {"task 1", "inner step 0", "not finite"}));
        CHECK(said.find("step_size") == std::string::npos);  // there is none
    }
}

TEST_CASE("the worst of a report is NaN where one is") {
    for (const std::size_t bad : {0u, 1u, 2u}) {
        std::vector<task_outcome> outcomes(3);
        for (auto& o : outcomes) o.inner_gradient_norm = o.linear_residual = 0.5;
        outcomes[bad].inner_gradient_norm = outcomes[bad].linear_residual = nan_value;
        CHECK(std::isnan(report::of(outcomes).inner_gradient_norm));
        CHECK(std::isnan(report::of(outcomes).linear_residual));
    }
}

TEST_CASE("the same on the cpu backend, with clipping") {
    backend::cpu<double> backend({.threads = 2});
    check_that_a_step_can_fail([&] { return maml(backend, classification, {.inner = rule, .clipping = {.value = 0.5, .norm = 0.1}}); });
}

TEST_CASE("kernels ask of a step what its exceptions ask") {
    backend::reference<double> kernels;
    const auto agree = [&](const std::vector<task_outcome>& outcomes, double square) {
        bool tasks[3] = {}, all = false;
        kernels.for_each_index(integer(outcomes.size()), detail::task_is_finite{outcomes.data(), tasks});
        kernels.for_each_index(1, detail::all_is_finite<double>{tasks, integer(outcomes.size()), &square, &all});
        const std::string said = refusal<numeric_error>([&] { detail::require_finite(outcomes, std::sqrt(square)); });
        return all == (said == "no exception");
    };
    CHECK(agree(std::vector<task_outcome>(3), 1));
    for (const double bad : {nan_value, infinity}) {
        CHECK(agree(std::vector<task_outcome>(3), bad));
        for (std::size_t t = 0; t < 3; ++t) {
            std::vector<task_outcome> outcomes(3);
            outcomes[t].loss = bad;
            CHECK(agree(outcomes, 1));
            outcomes[t] = {.failed_step = 2};
            CHECK(agree(outcomes, 1));
            outcomes[t] = {.linear_residual = bad};
            CHECK(agree(outcomes, 1));
        }
    }
}

TEST_CASE("an inner step that is too large names the step at which the loss was lost") {
    // In float, and without batch norm (which would not care about the scale of the weights), the second step overflows.
    using perceptron = nn::network<nn::sequential<nn::linear<shape<3>, 4, nn::initialise::kaiming>, nn::relu<shape<4>>>,
                                   nn::linear<shape<4>, dynamic, nn::initialise::lecun>>;
    backend::reference<float> backend;
    const fixture::episodes<float, perceptron, cross_entropy> data(size);
    auto solver = maml(backend, task<perceptron, cross_entropy>{.outputs = size.outputs}, {.inner = {.steps = 5, .step_size = 1e30}});
    auto state = solver.initialise({.seed = 1});
    const auto before = state;
    const std::string said = refusal<numeric_error>([&] { solver.step(state, data.all()); });
    CHECK(says(said, {"task 0", "inner step 1", "step_size"}));
    CHECK(same(state, before));

    // So an evaluation, which would otherwise call it chance, and a prediction; adaptation itself says it in the outcome.
    CHECK(says(refusal<numeric_error>([&] { solver.evaluate(state, data.all()); }), {"task 0", "inner step 1", "step_size"}));
    const auto adapted = solver.adapt(state, data.all());
    CHECK(adapted.outcomes[0].failed_step == 1);
    CHECK(says(refusal<numeric_error>([&] { solver.predict(adapted, data.query_inputs.data(), size.query); }),
               {"task 0", "example 0", "finite"}));
    // With one step no inner loss has been seen that is not finite, and yet nothing is left of the network.
    CHECK(says(refusal<numeric_error>([&] { solver.evaluate(state, data.all(), {.inner_steps = 1}); }), {"task 0", "output", "finite"}));
}

TEST_CASE("without classification a report has no accuracy, whatever the number of tasks") {
    for (std::size_t tasks = 1; tasks < 20; ++tasks) CHECK(report::of(std::vector<task_outcome>(tasks)).accuracy == -1);
}
