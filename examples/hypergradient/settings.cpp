// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient/settings.hpp"

#include <bilevel/core/error.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

namespace exchange {

namespace {

using bilevel::argument_error;

constexpr const char* footer = R"(The folder DIR holds, as .npy files (float32 or float64, int32 or int64; little-endian, C order):
  parameters.npy      (P)                   in the order of --layout; what lies between its arrays is padding
  support_images.npy  (tasks, n, h, w, c)   support_labels.npy  (tasks, n)   0 ... ways - 1; mtl reads neither
  query_images.npy    (tasks, n, h, w, c)   query_labels.npy    (tasks, n)
  classes.npy         (tasks, ways)         of mtl alone: the row of the head of each label
The hypergradient is the derivative of the query loss, mean over the tasks, with respect to the parameters; batch norm uses the statistics of each batch.
)";

// "28,28,1" or "28x28x1".
std::array<integer, 3> image_of(const std::string& text) {
    std::array<integer, 3> image{};
    const char *at = text.data(), *const end = at + text.size();
    for (std::size_t i = 0; i < image.size(); ++i) {
        if (i > 0 && (at == end || (*at != ',' && *at != 'x'))) break;
        const auto [next, problem] = std::from_chars(at + (i > 0 ? 1 : 0), end, image[i]);
        if (problem != std::errc{} || image[i] < 1) break;
        at = next;
        if (i + 1 == image.size() && at == end) return image;
    }
    throw argument_error("--image: expected height, width and channels, such as 28,28,1; found " + text);
}

void check(const settings& s) {
    const auto at_least = [](const char* name, integer value, integer least) {
        if (value < least)
            throw argument_error(std::string(name) + ": expected at least " + std::to_string(least) + ", found " + std::to_string(value));
    };
    const auto number = [](const char* name, double value, bool may_be_zero) {
        if (!std::isfinite(value) || value < 0 || (value == 0 && !may_be_zero))
            throw argument_error(std::string(name) + ": expected a " + (may_be_zero ? "number from 0" : "positive number") + ", found " +
                                 std::to_string(value));
    };
    at_least("--inner-steps", s.inner_steps, 0);
    at_least("--cg-iterations", s.cg_iterations, 1);
    at_least("--threads", s.threads, 1);
    at_least("--repeat", s.repeat, 0);
    at_least("--ways", s.ways, 2);
    at_least("--shots", s.shots, 1);
    at_least("--queries", s.queries, 1);
    at_least("--tasks", s.tasks, 1);
    if (s.is_mtl()) at_least("--classes", s.classes, s.ways);
    number("--inner-rate", s.inner_rate, false);
    number("--proximal-weight", s.proximal_weight, false);
    number("--cg-damping", s.cg_damping, true);
    // Other arguments of some algorithms alone are let through: a comparison gives every algorithm the same ones.
    if (s.planes != "kept" && s.algorithm != "maml" && s.algorithm != "anil")
        throw argument_error("--planes: expected " + s.planes + " with --algorithm maml and anil alone, found --algorithm " + s.algorithm);
    if (!s.is_on_cuda() && (s.cudnn || s.arithmetic != bilevel::backend::arithmetic::fp32))
        throw argument_error(std::string(s.cudnn ? "--cudnn" : "--arithmetic") + ": expected with --backend cuda alone, found --backend " +
                             s.backend);
    if (s.what != request::evaluate) return;
    if (s.input.empty()) throw argument_error("--input: expected the folder of the arrays (--write-example makes one)");
    if (s.output.empty()) throw argument_error("--output: expected the file for the hypergradient");
    if (!std::filesystem::is_directory(s.input)) throw argument_error("--input: there is no folder " + s.input);
}

}  // namespace

std::optional<settings> parse(int argc, char** argv) {
    CLI::App app("The hypergradient of a bi-level problem over arrays in files, for comparison with other programs.", "hypergradient");
    settings s;
    bool help = false, layout = false;
    std::string image;
    app.set_help_flag();
    app.add_flag("-h,--help", help, "this");
    app.add_option("--algorithm", s.algorithm, "maml, fomaml, anil, imaml or mtl")
        ->check(CLI::IsMember({"maml", "fomaml", "anil", "imaml", "mtl"}));
    app.add_option("--network", s.network, "conv4 (max pooling), resnet12 (for mtl) or mlp (two hidden layers)");
    app.add_option("--filters", s.filters,
                   "of each convolution, of the first block of resnet12 (64: 64, 160, 320, 640), or the width of each hidden layer");
    app.add_option("--inner-steps", s.inner_steps, "K, of all but mtl");
    app.add_option("--inner-rate", s.inner_rate, "step size of the inner level, of all but mtl");
    app.add_option("--backend", s.backend, "who computes: cpu, or cuda where the program is compiled for it")
        ->check(CLI::IsMember({"cpu", "cuda"}));
    app.add_option("--scalar", s.scalar, "float or double")->check(CLI::IsMember({"float", "double"}));
    app.add_option("--input", s.input, "the folder DIR of the arrays");
    app.add_option("--output", s.output, "file for the hypergradient (.npy)");
    app.add_option("--threads", s.threads, "of the cpu; the result does not depend on them");
    using enum bilevel::backend::convolution_algorithm;
    app.add_option("--convolution", s.convolution,
                   "how the cpu alone convolves, where it can: automatic, direct, winograd_2x2 or winograd_4x4 (faster, less exact)")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, bilevel::backend::convolution_algorithm>{
                {"automatic", automatic}, {"direct", direct}, {"winograd_2x2", winograd_2x2}, {"winograd_4x4", winograd_4x4}},
            CLI::ignore_case));
    using bilevel::backend::arithmetic;
    app.add_option("--arithmetic", s.arithmetic,
                   "how cuda multiplies floats: fp32, tf32 (factors rounded to 10 bits) or three_tf32 (tensor cores, accurate as fp32)")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, arithmetic>{
                {"fp32", arithmetic::fp32}, {"tf32", arithmetic::tf32}, {"three_tf32", arithmetic::three_tf32}},
            CLI::ignore_case));
    app.add_flag("--cudnn", s.cudnn, "cuda convolves by cuDNN what that takes: the shared weights of resnet12");
    app.add_option("--proximal-weight", s.proximal_weight, "of imaml alone: lambda");
    app.add_option("--cg-iterations", s.cg_iterations, "of imaml alone: conjugate gradient steps");
    app.add_option("--cg-damping", s.cg_damping, "of imaml alone: added to the diagonal of its linear system");
    app.add_option("--planes", s.planes,
                   "of maml and anil alone, what they keep of the inner steps: kept (faster) or recomputed (less memory)")
        ->check(CLI::IsMember({"kept", "recomputed"}));
    app.add_option("--repeat", s.repeat, "evaluations to time, after the first one");
    app.add_flag("--layout", layout, "prints 'name offset shape axes' of each parameter array, in order");
    app.add_option("--write-example", s.example, "writes random arrays of the right shapes into this folder");
    app.add_option("--image", image, "of --layout and --write-example: height,width,channels");
    app.add_option("--ways", s.ways, "of --layout and --write-example");
    app.add_option("--classes", s.classes, "of --layout and --write-example: training classes of mtl");
    app.add_option("--tasks", s.tasks, "of --write-example");
    app.add_option("--shots", s.shots, "of --write-example: support images a class");
    app.add_option("--queries", s.queries, "of --write-example: query images a class");
    app.add_option("--seed", s.seed, "of --write-example");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& refused) {
        throw argument_error(refused.what());
    }
    if (help) {
        std::cout << app.help() << "\n" << footer;
        return std::nullopt;
    }
    if (s.algorithm.empty()) throw argument_error("--algorithm: expected maml, fomaml, anil, imaml or mtl");
    if (s.network.empty()) throw argument_error("--network: expected the name of a network, such as conv4");
    if (layout && !s.example.empty()) throw argument_error("--layout: expected without --write-example");
    if (layout) s.what = request::layout;
    if (!s.example.empty()) s.what = request::write_example;
    if (!image.empty()) s.image = image_of(image);
    check(s);
    return s;
}

}  // namespace exchange
