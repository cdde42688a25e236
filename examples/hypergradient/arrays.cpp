// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient/arrays.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/io/npy.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>

namespace exchange {

namespace {

namespace fs = std::filesystem;
using bilevel::data_error;
constexpr integer any = -1;

fs::path file(const std::string& folder, const char* name) { return fs::path(folder) / (std::string(name) + ".npy"); }

void check_labels(const fs::path& name, const std::vector<std::int32_t>& labels, integer below) {
    for (const std::int32_t label : labels)
        if (label < 0 || label >= below)
            throw data_error(name.string() + ": holds " + std::to_string(label) + "; expected numbers from 0 to " +
                             std::to_string(below - 1));
}

// A set's images and labels; `tasks` is −1 where it is not known yet.
template <class Scalar>
integer read_set(const settings& s, const compiled_network& network, const char* images, const char* labels, integer& tasks,
                 std::vector<Scalar>& pixels, std::vector<std::int32_t>& names) {
    const std::vector<integer> expected{tasks, any, network.image[0], network.image[1], network.image[2]};
    auto read = bilevel::io::read_npy<Scalar>(file(s.input, images), expected);
    pixels = std::move(read.values);
    tasks = read.shape[0];
    const integer count = read.shape[1];
    if (tasks == 0 || count == 0) throw data_error(file(s.input, images).string() + ": holds no image");
    names = bilevel::io::read_npy<std::int32_t>(file(s.input, labels), std::vector<integer>{tasks, count}).values;
    return count;
}

}  // namespace

std::vector<integer> image_shape(const settings& s) {
    const fs::path images = file(s.input, "query_images");
    const auto shape = bilevel::io::npy_shape(images);
    if (shape.size() != 5)
        throw data_error(images.string() + ": has an array of rank " + std::to_string(shape.size()) +
                         "; expected (tasks, images, height, width, channels)");
    return {shape.begin() + 2, shape.end()};
}

template <class Scalar> arrays<Scalar> read_arrays(const settings& s, const compiled_network& network) {
    arrays<Scalar> a;
    const fs::path parameters = file(s.input, "parameters");
    const auto p = bilevel::io::read_npy<Scalar>(parameters, std::vector<integer>{any});
    a.outputs = network.outputs_of(s, p.shape[0]);
    if (a.outputs == 0)
        throw data_error(parameters.string() + ": has " + std::to_string(p.shape[0]) + " elements, which are those of " +
                         network.describe() + " for no number of outputs (--layout lists them)");
    a.parameters.assign(p.values.begin(), p.values.end());

    a.tasks = any;
    a.query = read_set(s, network, "query_images", "query_labels", a.tasks, a.query_images, a.query_labels);
    if (s.is_mtl()) {
        const fs::path classes = file(s.input, "classes");
        auto read = bilevel::io::read_npy<std::int32_t>(classes, std::vector<integer>{a.tasks, any});
        check_labels(classes, read.values, a.outputs);
        a.ways = read.shape[1];
        a.classes = std::move(read.values);
    } else {
        a.support = read_set(s, network, "support_images", "support_labels", a.tasks, a.support_images, a.support_labels);
        a.ways = a.outputs;
        check_labels(file(s.input, "support_labels"), a.support_labels, a.ways);
    }
    check_labels(file(s.input, "query_labels"), a.query_labels, a.ways);
    return a;
}

template <class Scalar> void write_example(const settings& s, const compiled_network& network) {
    using bilevel::random::generator;
    const auto stream = [&](std::uint64_t index) { return generator(s.seed, bilevel::random::purpose::user, index); };
    std::error_code problem;
    if (fs::create_directories(s.example, problem); problem) throw data_error(s.example + ": cannot be created: " + problem.message());

    // The network's own beginning, moved: a gain of one or a shift of zero would hide a mistake in its gradient.
    std::vector<double> start(static_cast<std::size_t>(network.size(s)));
    network.initialise(start.data(), s.is_mtl() ? 0 : s.ways, s.seed);
    auto noise = stream(0);
    for (const auto& array : network.arrays(s))
        for (integer i = 0; i < array.count(); ++i) start[static_cast<std::size_t>(array.offset + i)] += 0.05 * noise.normal();
    const std::vector<Scalar> parameters(start.begin(), start.end());
    bilevel::io::write_npy<Scalar>(file(s.example, "parameters"), std::vector<integer>{integer(parameters.size())}, parameters);

    const auto set = [&](const char* images, const char* labels, integer count, std::uint64_t index) {
        auto draw = stream(index);
        const std::vector<integer> shape{s.tasks, count, network.image[0], network.image[1], network.image[2]};
        std::vector<Scalar> pixels(static_cast<std::size_t>(s.tasks * count * network.image[0] * network.image[1] * network.image[2]));
        for (Scalar& pixel : pixels) pixel = Scalar(draw.uniform());
        std::vector<std::int32_t> names(static_cast<std::size_t>(s.tasks * count));
        for (std::size_t i = 0; i < names.size(); ++i) names[i] = static_cast<std::int32_t>(integer(i) % count % s.ways);
        bilevel::io::write_npy<Scalar>(file(s.example, images), shape, pixels);
        bilevel::io::write_npy<std::int32_t>(file(s.example, labels), std::vector<integer>{s.tasks, count}, names);
    };
    set("support_images", "support_labels", s.ways * s.shots, 1);
    set("query_images", "query_labels", s.ways * s.queries, 2);
    if (!s.is_mtl()) return;
    auto draw = stream(3);
    std::vector<std::int32_t> classes;
    std::vector<integer> chosen(static_cast<std::size_t>(s.ways));
    for (integer t = 0; t < s.tasks; ++t) {
        draw.choose(s.classes, chosen);
        for (const integer c : chosen) classes.push_back(static_cast<std::int32_t>(c));
    }
    bilevel::io::write_npy<std::int32_t>(file(s.example, "classes"), std::vector<integer>{s.tasks, s.ways}, classes);
}

template arrays<float> read_arrays<float>(const settings&, const compiled_network&);
template arrays<double> read_arrays<double>(const settings&, const compiled_network&);
template void write_example<float>(const settings&, const compiled_network&);
template void write_example<double>(const settings&, const compiled_network&);

}  // namespace exchange
