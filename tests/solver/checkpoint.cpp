// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/algorithms.hpp>
#include <bilevel/backend/reference.hpp>
#include <bilevel/data/sinusoids.hpp>
#include <bilevel/nn/mlp.hpp>
#include <bilevel/objective/mean_squared_error.hpp>
#include <bilevel/solver/checkpoint.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace bl = bilevel;
namespace fs = std::filesystem;

namespace {

// A folder that is gone at the end of the test.
struct folder {
    fs::path path = fs::temp_directory_path() / ("bilevel-checkpoint-" + std::to_string(::getpid()));
    folder() { fs::create_directories(path); }
    ~folder() { fs::remove_all(path); }
};

std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <class Vector> bool same_bits(const Vector& a, const Vector& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0;
}

// A state with something to lose everywhere: a negative zero, a subnormal, a curve with a validation point, a best state.
bl::state<float> example() {
    bl::state<float> s;
    s.parameters = {1.5f, -0.0f, 1e-42f, 3.1415927f};
    s.statistics = {0.25f};
    s.moments = {1e-30f, 2, 3, 4, 5, 6, 7, 8};
    s.iteration = 12;
    s.learning_curve = {{11, 0.1, 0.3, -1, 0}, {12, 1.0 / 3, 0.7, 0.625, 0.01}};
    s.best.parameters = {9, 8, 7, 6};
    s.best.statistics = {5};
    s.best.iteration = 10;
    s.best.validation_accuracy = 2.0 / 3;
    s.fingerprint = "algorithm=maml\nways=5\n";
    return s;
}

std::string refusal(const fs::path& file, const bl::state<float>& initial) {
    try {
        (void)bl::read_checkpoint(file, initial);
    } catch (const bl::checkpoint_error& refused) {
        return refused.what();
    }
    return "";
}

}  // namespace

TEST_CASE("checkpoint: a state comes back with every bit, and is written with the same bytes again") {
    const folder f;
    const auto s = example();
    bl::write_checkpoint(f.path / "one", s);
    const auto r = bl::read_checkpoint(f.path / "one", s);
    CHECK(same_bits(r.parameters, s.parameters));
    CHECK(same_bits(r.statistics, s.statistics));
    CHECK(same_bits(r.moments, s.moments));
    CHECK(r.iteration == s.iteration);
    CHECK(r.learning_curve == s.learning_curve);
    CHECK(same_bits(r.best.parameters, s.best.parameters));
    CHECK(same_bits(r.best.statistics, s.best.statistics));
    CHECK(r.best.iteration == s.best.iteration);
    CHECK(r.best.validation_accuracy == s.best.validation_accuracy);
    CHECK(r.fingerprint == s.fingerprint);
    bl::write_checkpoint(f.path / "two", r);
    CHECK(bytes_of(f.path / "one") == bytes_of(f.path / "two"));

    auto without_best = s;
    without_best.best = {};
    bl::write_checkpoint(f.path / "one", without_best);
    CHECK(bl::read_checkpoint(f.path / "one", s).best.parameters.empty());
    CHECK(bl::read_checkpoint(f.path / "one", s).best.validation_accuracy == -1);
}

TEST_CASE("checkpoint: what does not belong to the run is refused in words") {
    const folder f;
    const fs::path file = f.path / "state";
    const auto s = example();
    bl::write_checkpoint(file, s);

    auto other = s;
    other.fingerprint = "algorithm=maml\nseed=7\nways=20\n";
    const auto settings = refusal(file, other);
    CHECK(settings.find(file.string()) == 0);
    CHECK(settings.find("ways=5, not ways=20") != std::string::npos);
    CHECK(settings.find("without seed, not seed=7") != std::string::npos);
    CHECK(settings.find("algorithm") == std::string::npos);

    auto larger = s;
    larger.parameters.resize(5);
    CHECK(refusal(file, larger).find("'parameters' has 4 elements; expected 5") != std::string::npos);
    CHECK(refusal(f.path / "nothing", s).find("nothing") != std::string::npos);

    bl::state<double> exact;
    exact.parameters.resize(4);
    exact.statistics.resize(1);
    exact.moments.resize(8);
    exact.fingerprint = s.fingerprint;
    CHECK_THROWS_AS((void)bl::read_checkpoint(file, exact), bl::checkpoint_error);

    const auto whole = bytes_of(file);
    for (const std::size_t end : {whole.size() / 2, whole.size() - 1}) {
        std::ofstream(file, std::ios::binary) << whole.substr(0, end);
        CHECK(refusal(file, s).find(file.string()) == 0);
    }
}

TEST_CASE("checkpoint: the difference of fingerprints names what differs and nothing else") {
    CHECK(bl::fingerprint_difference("a=1\nb=2\n", "a=1\nb=2\n").empty());
    CHECK(bl::fingerprint_difference("a=1\nb=2\n", "a=1\nb=3\n") == "b=2, not b=3");
    CHECK(bl::fingerprint_difference("a=1\n", "b=1\n") == "a=1, not without a; without b, not b=1");
}

TEST_CASE("checkpoint: training that goes on from a file ends in the bits of one that did not stop") {
    const folder f;
    bl::backend::reference<float> backend;
    using network = bl::nn::mlp<bl::shape<1>, 8>;
    using task = bl::task<network, bl::objective::mean_squared_error>;
    const auto train = [](auto& solver, bl::state<float>& s, std::uint64_t until) {
        bl::data::sinusoids<float> tasks({.shots = 3, .queries = 3});
        while (s.iteration < until) solver.step(s, tasks.batch(bl::integer(s.iteration), 2));
    };
    auto first = bl::maml(backend, task{.outputs = 1});
    auto straight = first.initialise({.seed = 1});
    train(first, straight, 6);
    bl::write_checkpoint(f.path / "straight", straight);

    auto stopped = first.initialise({.seed = 1});
    train(first, stopped, 3);
    bl::write_checkpoint(f.path / "stopped", stopped);
    auto second = bl::maml(backend, task{.outputs = 1});  // nothing is left of the first solver but the file
    auto resumed = bl::read_checkpoint(f.path / "stopped", second.initialise({.seed = 1}));
    CHECK(resumed.iteration == 3);
    train(second, resumed, 6);
    bl::write_checkpoint(f.path / "resumed", resumed);
    CHECK(bytes_of(f.path / "straight") == bytes_of(f.path / "resumed"));
    CHECK(bytes_of(f.path / "straight") != bytes_of(f.path / "stopped"));
}
