// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/settings.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/core/positive_in.hpp>
#include <bilevel/io/atomic_file.hpp>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <map>
#include <thread>
#include <type_traits>
#include <utility>

namespace few_shot {

namespace {

using bilevel::argument_error;
namespace fs = std::filesystem;

template <class Value> std::string text(const Value& value) {
    if constexpr (std::is_same_v<Value, std::string>) {
        return value;
    } else if constexpr (std::is_same_v<Value, bool>) {
        return value ? "yes" : "no";
    } else {
        char digits[64];
        return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
    }
}

// visit(name, setting, axis, readers, found): what this run does not read, which choices of --axis read it, and the one that is made.
template <class Settings, class Visit> void for_each_unread(Settings& s, Visit visit) {
    const std::string &algorithm = s.algorithm, &dataset = s.dataset;
    const auto of_algorithms = [&](bool is_read, const char* readers, const char* name, auto& x) {
        if (!is_read) visit(name, x, "algorithm", readers, algorithm);
    };
    const auto of_omniglot = [&](const char* name, auto& x) {
        if (dataset != "omniglot") visit(name, x, "dataset", "omniglot", dataset);
    };
    const bool mtl = algorithm == "mtl", imaml = algorithm == "imaml", unrolled = algorithm == "maml" || algorithm == "anil";
    of_algorithms(!mtl, "maml, fomaml, anil and imaml", "inner-steps", s.inner_steps);
    of_algorithms(!mtl, "maml, fomaml, anil and imaml", "inner-rate", s.inner_rate);
    of_algorithms(!mtl, "maml, fomaml, anil and imaml", "test-inner-steps", s.test_inner_steps);
    of_algorithms(imaml, "imaml", "proximal-weight", s.proximal_weight);
    of_algorithms(imaml, "imaml", "cg-iterations", s.cg_iterations);
    of_algorithms(imaml, "imaml", "cg-damping", s.cg_damping);
    of_algorithms(unrolled, "maml and anil", "planes", s.planes);
    of_algorithms(unrolled, "maml and anil", "planes-budget", s.planes_budget);
    if (unrolled && s.planes.value == "recomputed") visit("planes-budget", s.planes_budget, "planes", "kept", s.planes.value);
    of_omniglot("data", s.data);
    of_omniglot("split", s.split);
    if (const std::string& backend = s.backend; backend == "reference" || backend == "cuda")
        visit("threads", s.threads, "backend", "cpu and thrust", backend);
}

// Recipes: the published one of the algorithm on the data set, else ours.
void choose_defaults(settings& s) {
    const std::string ours = "ours", finn = "published [Finn17]", rajeswaran = "published [Rajeswaran19]";
    s.algorithm.otherwise("maml", ours);
    s.dataset.otherwise("glyphs", ours);
    s.ways.otherwise(5, ours);
    s.shots.otherwise(1, ours);
    s.seed.otherwise(7, ours);
    s.episodes.otherwise(1000, ours);
    s.threads.otherwise(std::max(1, int(std::thread::hardware_concurrency())), "all there are");
    const std::string& algorithm = s.algorithm;
    const bool omniglot = s.dataset.value == "omniglot", mtl = algorithm == "mtl", imaml = algorithm == "imaml";
    const bool as_published = omniglot && (s.ways == 5 || s.ways == 20) && (s.shots == 1 || s.shots == 5);
    const bool twenty = s.ways >= 20;

    if ((algorithm == "maml" || algorithm == "fomaml") && as_published) {  // section 5.2, appendix A.1, and the authors' code
        s.network.otherwise("conv4_strided", finn);
        s.filters.otherwise(64, finn);
        s.split.otherwise("random", finn);
        s.rotations.otherwise("episode", finn);
        s.queries.otherwise(s.shots, finn);
        s.test_queries.otherwise(s.shots, finn);
        s.iterations.otherwise(60000, finn);
        s.meta_batch.otherwise(twenty ? 16 : 32, finn);
        s.inner_steps.otherwise(twenty ? 5 : 1, finn);
        s.inner_rate.otherwise(twenty ? 0.1 : 0.4, finn);
        if (!twenty) s.test_inner_steps.otherwise(3, finn);
        s.outer_rate.otherwise(1e-3, finn);
        s.batch_norm.otherwise("batch", finn);
    }
    if (imaml && as_published) {  // the authors' code
        s.filters.otherwise(64, rajeswaran);
        s.iterations.otherwise(20000, rajeswaran);
        s.meta_batch.otherwise(32, rajeswaran);
        s.inner_steps.otherwise(16, rajeswaran);
        s.inner_rate.otherwise(0.1, rajeswaran);
        s.proximal_weight.otherwise(2, rajeswaran);
        s.cg_iterations.otherwise(5, rajeswaran);
        s.cg_damping.otherwise(22, rajeswaran);  // (2 I + H / 12) w = b, up to a factor
        s.outer_rate.otherwise(1e-3, rajeswaran);
        s.outer_epsilon.otherwise(1e-3, rajeswaran);
    }
    s.network.otherwise("conv4_strided", ours);
    s.filters.otherwise(omniglot ? 64 : 32, ours);
    s.split.otherwise("random", ours);
    s.rotations.otherwise("classes", ours);
    s.queries.otherwise(mtl ? 9 : omniglot ? s.shots.value : 2, ours);
    s.test_queries.otherwise(omniglot ? s.shots.value : 5, ours);
    s.iterations.otherwise(omniglot ? 20000 : mtl ? 3000 : 2000, ours);
    s.meta_batch.otherwise(mtl ? 4 : omniglot ? 32 : 16, ours);
    s.inner_steps.otherwise(imaml ? 16 : twenty ? 5 : 1, ours);
    s.inner_rate.otherwise(imaml || twenty ? 0.1 : 0.4, ours);
    s.test_inner_steps.otherwise(imaml || twenty ? s.inner_steps.value : 3, ours);
    s.outer_rate.otherwise(omniglot ? 1e-3 : 3e-3, ours);
    s.outer_epsilon.otherwise(1e-8, "published [Kingma15]");
    s.proximal_weight.otherwise(0.1, ours);
    s.cg_iterations.otherwise(5, ours);
    s.cg_damping.otherwise(5, ours);
    s.planes.otherwise("kept", ours);
    s.planes_budget.otherwise(0, ours);
    s.backend.otherwise("cpu", ours);
    s.batch_norm.otherwise(mtl ? "running" : "batch", mtl ? "published [Wang21]" : ours);
    s.validation_interval.otherwise(0, ours);
    s.validation_episodes.otherwise(200, ours);
    s.checkpoint_interval.otherwise(500, ours);
    for (auto* flag : {&s.keep_best, &s.resume}) flag->otherwise(false, "none");
    for (auto* file : {&s.data, &s.checkpoint, &s.json, &s.plot}) file->otherwise("", "none");

    // What was given stays so: it is refused, but for help, which shows it.
    const auto unused = [](auto& x, const std::string& by) {
        if (!x.given()) x.origin = "not used by " + by;
    };
    for_each_unread(s, [&](const char*, auto& x, const char*, const char*, const std::string& found) { unused(x, found); });
    if (s.validation_interval == 0) {
        unused(s.validation_episodes, "a run without --validation-interval");
        unused(s.keep_best, "a run without --validation-interval");
    }
    if (s.checkpoint.value.empty()) unused(s.checkpoint_interval, "a run without --checkpoint");
}

// An argument without effect is most likely a mistake.
void check_read(const settings& s) {
    for_each_unread(s, [](const char* name, const auto& x, const std::string& axis, const std::string& readers, const std::string& found) {
        if (x.given())
            throw argument_error(std::string("--") + name + ": expected with --" + axis + " " + readers + " alone, found --" + axis + " " +
                                 found);
    });
    if (s.validation_interval > 0) return;
    for (const auto& [name, is_given] :
         {std::pair("keep-best", s.keep_best.value), std::pair("validation-episodes", s.validation_episodes.given())})
        if (is_given) throw argument_error(std::string("--") + name + ": expected --validation-interval N with N > 0");
}

void check_numbers(const settings& s) {
    const auto range = [](const char* name, const setting<integer>& x, integer lowest, integer highest) {
        if (x < lowest || x > highest)
            throw argument_error(std::string("--") + name + ": expected " + std::to_string(lowest) + " to " + std::to_string(highest) +
                                 ", found " + std::to_string(x.value));
    };
    const auto positive = [](const char* name, const setting<double>& x) {
        if (!bilevel::positive_in<float>(x.value))  // in which every backend here computes
            throw argument_error(std::string("--") + name + ": expected a positive number of single precision, found " + text(x.value));
    };
    constexpr integer many = 1'000'000;
    range("ways", s.ways, 2, many);
    range("shots", s.shots, 1, many);
    range("queries", s.queries, 1, many);
    range("test-queries", s.test_queries, 1, many);
    range("iterations", s.iterations, 0, 1'000 * many);
    range("meta-batch", s.meta_batch, 1, many);
    range("inner-steps", s.inner_steps, 1, many);
    range("test-inner-steps", s.test_inner_steps, 0, many);
    range("threads", s.threads, 1, 1024);
    range("episodes", s.episodes, 2, 1'000 * many);
    range("validation-interval", s.validation_interval, 0, 1'000 * many);
    range("validation-episodes", s.validation_episodes, 2, 1'000 * many);
    range("cg-iterations", s.cg_iterations, 1, many);
    range("planes-budget", s.planes_budget, 0, 1'000 * many);
    range("checkpoint-interval", s.checkpoint_interval, 1, 1'000 * many);
    positive("inner-rate", s.inner_rate);
    positive("outer-rate", s.outer_rate);
    positive("outer-epsilon", s.outer_epsilon);
    positive("proximal-weight", s.proximal_weight);
    if (!std::isfinite(s.cg_damping.value) || s.cg_damping < 0)
        throw argument_error("--cg-damping: expected a number from 0, found " + text(s.cg_damping.value));
    if (std::find(instantiated_filters.begin(), instantiated_filters.end(), s.filters.value) == instantiated_filters.end()) {
        std::string list;
        for (const integer f : instantiated_filters) list += (list.empty() ? "" : ", ") + std::to_string(f);
        throw argument_error("--filters: expected one of those that this program is compiled for (" + list + "), found " +
                             text(s.filters.value));
    }
}

// That a file can be written there, without writing anything.
void check_output(const std::string& name, const std::string& file) {
    const auto refuse = [&](const std::string& why) { throw argument_error("--" + name + ": " + file + " cannot be written: " + why); };
    std::error_code ignored;
    if (const fs::file_status status = fs::status(file, ignored);
        fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status)) {
        if (::access(file.c_str(), W_OK) != 0) refuse("the device does not let us");
        return;  // it is written in place
    }
    const fs::path path = bilevel::io::behind_links(file);
    if (fs::is_symlink(fs::symlink_status(path, ignored))) refuse("links lead in a circle");
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (!path.has_filename() || fs::is_directory(path, ignored)) refuse("it is a folder");
    if (!fs::exists(folder, ignored)) refuse("there is no folder " + folder.string());
    if (!fs::is_directory(folder, ignored)) refuse(folder.string() + " is no folder");
    if (::access(folder.c_str(), W_OK | X_OK) != 0) refuse("the folder " + folder.string() + " does not let us");
    if (fs::exists(path, ignored) && ::access(path.c_str(), W_OK) != 0) refuse("the file does not let us");
}

void check_files(const settings& s) {
    std::map<fs::path, std::string> seen;
    const std::pair<const char*, const setting<std::string>*> outputs[] = {
        {"checkpoint", &s.checkpoint}, {"json", &s.json}, {"plot", &s.plot}};
    for (const auto& [name, file] : outputs) {
        if (file->given() && file->value.empty())
            throw argument_error(std::string("--") + name + ": expected the name of a file, found an empty one");
        if (file->value.empty()) continue;
        check_output(name, *file);
        std::error_code ignored;
        const auto [other, is_new] = seen.emplace(fs::absolute(bilevel::io::behind_links(file->value), ignored).lexically_normal(), name);
        if (!is_new) throw argument_error(std::string("--") + name + ": " + file->value + " is the file of --" + other->second + " too");
    }
    if (s.checkpoint.value.empty()) {
        if (s.resume) throw argument_error("--resume: expected --checkpoint FILE, the file to go on from");
        if (s.checkpoint_interval.given()) throw argument_error("--checkpoint-interval: expected --checkpoint FILE, the file to write");
    } else if (!s.resume) {
        std::error_code missing;
        if (const auto size = fs::file_size(s.checkpoint.value, missing); !missing && size > 0)
            throw argument_error("--checkpoint: " + s.checkpoint.value + " exists; add --resume to go on from it, or remove it");
    }
    if (s.dataset.value == "omniglot") {
        if (s.data.value.empty())
            throw argument_error("--data: expected the folder of Omniglot, which holds images_background and images_evaluation");
        std::error_code ignored;
        if (!fs::is_directory(s.data.value, ignored)) throw argument_error("--data: there is no folder " + s.data.value);
    }
}

const char* const footer =
    "Defaults are the published recipe of the algorithm on the data set where there is one, else ours; the table below says which is which, and\n"
    "every run prints it. Published: maml and fomaml on omniglot, 5 or 20 ways, 1 or 5 shots [Finn17]; imaml on omniglot [Rajeswaran19].\n";

}  // namespace

std::vector<settings::row> settings::rows() const {
    std::vector<row> all;
    for_each([&](const char* name, const auto& x, changes, const char*) { all.push_back({name, text(x.value), x.origin, x.used()}); });
    return all;
}

std::string settings::table() const {
    std::string out;
    for (const row& r : rows()) {
        if (!r.used || r.origin == "none") continue;
        std::string line = "  --" + r.name;
        line.resize(std::max<std::size_t>(line.size() + 1, 26), ' ');
        line += r.value;
        line.resize(std::max<std::size_t>(line.size() + 1, 44), ' ');
        out += line + r.origin + "\n";
    }
    return out;
}

std::string settings::fingerprint() const {
    std::string out;
    for_each([&](const char* name, const auto& x, changes what, const char*) {
        const bool matters = what == changes::state || (what == changes::validation_alone && validation_interval > 0);
        if (matters && x.used()) out += std::string(name) + "=" + text(x.value) + "\n";
    });
    return out;
}

std::optional<settings> parse(int argc, char** argv) {
    CLI::App app("Few-shot image classification by bi-level optimisation: trains, tests on episodes of unseen classes, and reports.",
                 "few_shot");
    settings s;
    bool help = false;
    app.set_help_flag();
    app.add_flag("-h,--help", help, "this, with the settings that the other arguments lead to");
    s.for_each([&](const std::string& name, auto& x, changes, const std::string& description) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x.value)>, bool>) {
            app.add_flag("--" + name, x.value, description);
        } else {
            app.add_option("--" + name, x.value, description);
        }
    });
    const auto one_of = [&](const char* name, std::vector<std::string> words) {
        app.get_option(name)->check(CLI::IsMember(std::move(words)));
    };
    one_of("--algorithm", {"mtl", "fomaml", "maml", "imaml", "anil"});
    one_of("--network", {"conv4", "conv4_strided"});
    one_of("--dataset", {"glyphs", "omniglot"});
    one_of("--split", {"random", "vinyals"});
    one_of("--rotations", {"classes", "episode", "none"});
    one_of("--batch-norm", {"batch", "running"});
    one_of("--planes", {"kept", "recomputed"});
    one_of("--backend", {"cpu", "reference", "thrust", "cuda"});
    // CLI11 takes a negative number for a large one.
    app.get_option("--seed")->check(CLI::Validator(
        [](const std::string& found) {
            return found.rfind('-', 0) == 0 ? "expected a whole number from 0, found " + found : std::string();
        },
        ""));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& refused) {
        throw argument_error(refused.what());
    }
    s.for_each([&](const std::string& name, auto& x, changes, const char*) {
        if (app.get_option("--" + name)->count() > 0) x.origin = "given";
    });
    choose_defaults(s);
    if (help) {
        std::cout << app.help() << "\n" << footer << "\nSettings of this command line:\n" << s.table();
        return std::nullopt;
    }
    check_numbers(s);
    check_read(s);
    check_files(s);
    return s;
}

}  // namespace few_shot
