// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/cuda.cuh>
#include <bilevel/backend/primitives.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/data/batches_ahead.hpp>
#include <bilevel/data/resident_episodes.hpp>
#include <bilevel/nn/conv4.hpp>
#include <bilevel/objective/cross_entropy.hpp>
#include <bilevel/testing/finite_difference.hpp>

#include <doctest/doctest.h>
#include <fixtures/episodes.hpp>
#include <fixtures/same_episodes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace bilevel;
using network = nn::conv4<shape<28, 28, 1>, 16>;
using backend_type = backend::cuda<float>;

static_assert(backend::any<backend_type>);
static_assert(backend::any<backend::cuda<double>>);

namespace {
const fixture::sizes size{.tasks = 6, .outputs = 5, .support = 5, .query = 15};

struct count_calls {
    int* calls;
    BILEVEL_HOST_DEVICE void operator()(integer i) const { ++calls[i]; }
};

auto solver_on(backend_type& on) {
    return maml(on, task<network, objective::cross_entropy>{.outputs = size.outputs},
                {.inner = {.steps = 2, .step_size = 0.1}, .outer = {.step_size = 1e-3}});
}

struct training {
    std::vector<float> parameters, statistics, moments;
    std::vector<double> losses;
};
training train(const backend::cuda_settings& settings, int steps) {
    backend_type on(settings);
    auto solver = solver_on(on);
    const fixture::episodes<float, network, objective::cross_entropy> data(size);
    auto s = solver.initialise({.seed = 1});
    training t;
    for (int i = 0; i < steps; ++i) t.losses.push_back(solver.step(s, data.all()).loss);
    t.parameters.assign(s.parameters.begin(), s.parameters.end());
    t.statistics.assign(s.statistics.begin(), s.statistics.end());
    t.moments.assign(s.moments.begin(), s.moments.end());
    if (settings.graphs) CHECK(on.kernels_of_graph() > 100);
    return t;
}
}  // namespace

TEST_CASE("cuda: a hundred steps as graphs have the bits of a hundred steps kernel by kernel") {
    const training eager = train({.graphs = false}, 100), replayed = train({.graphs = true}, 100);
    CHECK(replayed.losses == eager.losses);
    CHECK(replayed.parameters == eager.parameters);
    CHECK(replayed.statistics == eager.statistics);
    CHECK(replayed.moments == eager.moments);
    CHECK(eager.losses.back() < eager.losses.front());
}

TEST_CASE("cuda: where a loss is not finite the state is as it was, and a training goes on as if nothing had been") {
    using episodes = fixture::episodes<float, network, objective::cross_entropy>;
    const episodes good(size);
    episodes broken = good;
    broken.query_inputs[std::size_t(2 * size.query * episodes::pixels + 5)] = std::numeric_limits<float>::infinity();
    backend_type on;
    for (int steps = 0; steps < 4; ++steps) {  // the broken one is run, recorded, or repeated
        auto solver = solver_on(on), other = solver_on(on);
        auto s = solver.initialise({.seed = 1}), expected = other.initialise({.seed = 1});
        for (int i = 0; i < steps; ++i) solver.step(s, good.all());
        for (int i = 0; i < steps + 1; ++i) other.step(expected, good.all());
        const auto before = s;
        CHECK_THROWS_AS(solver.step(s, broken.all()), numeric_error);
        CHECK(s.parameters == before.parameters);
        CHECK(s.statistics == before.statistics);
        CHECK(s.moments == before.moments);
        solver.step(s, good.all());
        CHECK(s.parameters == expected.parameters);
        CHECK(s.moments == expected.moments);
    }
}

TEST_CASE("cuda: batches of several shapes in turn, and other work between them, do not mix up their graphs") {
    backend_type graphs, eager({.graphs = false});
    auto one = solver_on(graphs), other = solver_on(eager);
    const fixture::episodes<float, network, objective::cross_entropy> small({.tasks = 2, .outputs = 5, .support = 5, .query = 5}),
        large(size);
    auto a = one.initialise({.seed = 1}), b = other.initialise({.seed = 1});
    for (int i = 0; i < 6; ++i) {
        const auto batch = i % 2 == 0 ? small.all() : large.all();
        CHECK(one.step(a, batch).loss == other.step(b, batch).loss);
        CHECK(one.evaluate(a, large.all()) == other.evaluate(b, large.all()));
    }
    CHECK(a.parameters == b.parameters);
}

TEST_CASE("cuda: what failed, or lost its memory, is not recorded before it has run") {
    backend_type on;
    repeatable these, others;
    these.add(integer{1});
    others.add(integer{2});
    aligned_vector<float> numbers(4, 0, aligned_allocator<float>(on.shared_memory()));
    const auto three_times = [&] {
        for (int run = 0; run < 3; ++run)
            on.repeat(these, [&] {
                float* const memory = on.launcher().scratch<float>(1 << 16);  // which cannot be taken while a graph is recorded
                on.copy({memory, 4, 1, 4}, {numbers.data(), 4, 1, 4});
            });
        on.wait();
    };
    CHECK_THROWS_AS(on.repeat(these, [] { throw numeric_error("the first run"); }), numeric_error);
    three_times();
    CHECK(on.kernels_of_graph() == 1);
    CHECK_THROWS_AS(on.repeat(others, [&] { on.launcher().scratch<float>(integer{1} << 50); }),
                    cuda_error);  // and gives back what there was
    three_times();
    CHECK(on.kernels_of_graph() == 1);
}

TEST_CASE("cuda: a kernel of too many calls is refused") {
    backend_type on;
    CHECK_THROWS_AS(on.for_each_index(integer{1} << 32, count_calls{nullptr}), std::length_error);
}

TEST_CASE("cuda: algorithms in turn on one backend do not mix up their graphs") {
    backend_type graphs, eager({.graphs = false});
    const fixture::episodes<float, network, objective::cross_entropy> data(size);
    const task<network, objective::cross_entropy> of{.outputs = size.outputs};
    const auto all = [&](backend_type& on) {
        std::vector<aligned_vector<float>> vectors;
        for (int i = 0; i < 3; ++i) { // new solvers, at the addresses of those before
            auto second = maml(on, of, {.inner = {.steps = 2, .step_size = 0.1}});
            const auto s = second.initialise({.seed = 1});
            for (int j = 0; j < 3; ++j) vectors.push_back(second.hypergradient(s, data.all()).vector);
            auto first = fomaml(on, of, {.inner = {.steps = 2, .step_size = 0.2}});
            for (int j = 0; j < 3; ++j) vectors.push_back(first.hypergradient(s, data.all()).vector);
        }
        return vectors;
    };
    CHECK(all(graphs) == all(eager));
}

TEST_CASE("cuda: episodes out of a set on the device train as those of the host do") {
    xt::xtensor<float, 4> pixels(std::array<std::size_t, 4>{24, 28, 28, 1});
    std::vector<int> labels;
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = float(i * i % 1009) / 1009;
    for (int i = 0; i < 24; ++i) labels.push_back(i / 6);
    backend_type on;
    const auto draw = [&](memory& in) {
        return data::episodes(data::image_set_from(pixels, labels), {.ways = 3, .shots = 2, .queries = 3}, in);
    };
    auto of_host = draw(host_memory()), pinned = draw(on.batch_memory());
    data::resident_episodes resident(on.worker(0), of_host);
    const auto train = [&](auto& from) {
        auto solver = maml(on, task<network, objective::cross_entropy>{.outputs = 3}, {.inner = {.steps = 2, .step_size = 0.1}});
        auto s = solver.initialise({.seed = 1});
        for (integer i = 0; i < 4; ++i) solver.step(s, from.batch(i, 2));
        return std::vector<float>(s.parameters.begin(), s.parameters.end());
    };
    const auto expected = train(of_host);
    CHECK(train(pinned) == expected);
    CHECK(train(resident) == expected);

    const integer pixels_of_image = pinned.set().image_size();
    const auto place = [&](int which, episodes_view<float, int> batch) {
        integer slot = 2 * which;
        batch.support.inputs = on.copy_ahead(slot, batch.support.inputs, batch.tasks * batch.support.count * pixels_of_image);
        batch.query.inputs = on.copy_ahead(slot + 1, batch.query.inputs, batch.tasks * batch.query.count * pixels_of_image);
        return batch;
    };
    data::batches_ahead ahead(pinned, 2, place);
    struct {
        decltype(ahead)& of_two;
        auto batch(integer i, integer) { return of_two.batch(i); }
    } copied_ahead{ahead};
    CHECK(train(copied_ahead) == expected);
}

TEST_CASE("cuda: episodes are drawn on the device by graphs, and are those of the host") {
    xt::xtensor<std::uint8_t, 4> pixels(std::array<std::size_t, 4>{45, 4, 4, 1});
    std::vector<int> labels;
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = std::uint8_t(i * i % 251);
    for (int i = 0; i < 45; ++i) labels.push_back(i / 5);
    const auto set = data::image_set_from(pixels, labels).with_rotated_classes().with_turns_in_episodes();
    backend_type on;
    auto training = data::episodes(set, {.ways = 20, .shots = 1, .queries = 2}),
         test = data::episodes(set, {.ways = 3, .shots = 2, .queries = 3, .purpose = random::purpose::test_episodes});
    data::resident_episodes resident_training(on.worker(0), training), resident_test(on.worker(0), test);
    const auto check = [&](auto& sampler, auto& resident, integer i, integer tasks) {
        CHECK(fixture::same_episodes(on, sampler.batch(i, tasks), resident.batch(i, tasks)));
    };
    for (const integer i : {0, 1, 2, 100, 7, 7, 50}) {
        check(training, resident_training, i, 32);
        check(test, resident_test, i, 2);
    }
    CHECK(on.kernels_of_graph() == 3);
}

TEST_CASE("cuda: cuBLAS, the tiles and tensor cores give the same products up to rounding") {
    const auto hypergradient = [](const backend::cuda_settings& settings, std::uint64_t seed) {
        backend_type on(settings);
        auto solver = solver_on(on);
        const fixture::episodes<float, network, objective::cross_entropy> data(
            {.tasks = 2, .outputs = size.outputs, .support = 5, .query = 10}, seed);
        return solver.hypergradient(solver.initialise({.seed = seed}), data.all()).vector;
    };
    const backend::cuda_settings others[] = {{.products = backend::matrix_products::cublas},
                                             {.arithmetic = backend::arithmetic::three_tf32},
                                             {.arithmetic = backend::arithmetic::tf32}};
    std::vector<double> errors[3];
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto expected = hypergradient({}, seed);
        for (int i = 0; i < 3; ++i) errors[i].push_back(testing::relative_error(hypergradient(others[i], seed), expected));
    }
    for (auto& each : errors) std::sort(each.begin(), each.end());
    // On a cpu float differs from double by 1e-6, and by 1e-4 to 1e-2 where rounding flips a rectifier or a maximum, which it does in few batches of this size.
    for (int i = 0; i < 2; ++i) {
        CAPTURE(i);
        CHECK(errors[i][2] <= 2e-5);
        CHECK(errors[i].back() <= 2e-2);
    }
    CHECK(errors[2][0] > 1e-5);  // it is what runs
    CHECK(errors[2][2] <= 0.1);
    CHECK(errors[2].back() <= 0.25);
    CHECK_THROWS_AS(backend::cuda<double>({.arithmetic = backend::arithmetic::tf32}), argument_error);
}

TEST_CASE("cuda: a state from elsewhere moves to the device, and its copies are whole states") {
    backend_type on;
    auto solver = solver_on(on);
    const fixture::episodes<float, network, objective::cross_entropy> data(size);
    auto s = solver.initialise({.seed = 1});
    solver.step(s, data.all());
    state<float> elsewhere = s;
    elsewhere.parameters = aligned_vector<float>(s.parameters.begin(), s.parameters.end(), aligned_allocator<float>{});
    CHECK(solver.hypergradient(elsewhere, data.all()).vector == solver.hypergradient(s, data.all()).vector);
    CHECK(solver.step(elsewhere, data.all()).loss == solver.step(s, data.all()).loss);
    CHECK(elsewhere.parameters == s.parameters);
}

TEST_CASE("cuda: for_each_index calls each index once") {
    backend_type on;
    aligned_vector<int> calls(7, 0, aligned_allocator<int>(on.shared_memory()));
    on.for_each_index(7, count_calls{calls.data()});
    on.wait();
    for (const int n : calls) CHECK(n == 1);
    on.for_each_index(0, count_calls{nullptr});
}

TEST_CASE("cuda: an empty array is nothing to upload") {
    backend_type on;
    const float* const nowhere = nullptr;
    CHECK(on.upload(0, nowhere, 0) == nullptr);
    CHECK(on.copy_ahead(0, nowhere, 0) == nullptr);
}

TEST_CASE("cuda: an error says which call failed") {
    try {
        backend::detail::check(cudaErrorMemoryAllocation, "cudaMalloc");
        FAIL("no exception");
    } catch (const cuda_error& e) {
        CHECK(std::string(e.what()) == "bilevel: cudaMalloc: out of memory (cudaErrorMemoryAllocation)");
    }
    CHECK_THROWS_AS(backend::cuda_memory().allocate(std::size_t{1} << 60), cuda_error);
}
