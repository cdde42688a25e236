// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace bilevel::data {

/// Classes drawn at random: so many for training, so many for validation, the rest for test. A pure function of the seed and the sorted
/// names of the classes. The MAML paper has 1 200 training classes, of which its authors' code holds 100 back for validation (training 1
/// 100, validation 100).
struct random_split {
    integer training_classes = 1200;
    integer validation_classes = 0;
    std::uint64_t seed = 7;
};

/// Classes named by lists: `train.txt`, `val.txt` and `test.txt` in a folder, one class a line [Vinyals16].
struct list_split {
    std::filesystem::path folder{};  // empty: where the reader of the data set looks, see there
};

/// The numbers of the classes of each part, ascending.
struct class_split {
    std::vector<integer> training, validation, test;
};

/// Splits classes at random. Throws `data_error` where `names` are fewer than training and validation ask for, `argument_error` where those
/// are negative.
inline class_split split_classes(const std::vector<std::string>& names, const random_split& split) {
    const auto count = static_cast<integer>(names.size());
    if (split.training_classes < 0 || split.validation_classes < 0)
        throw argument_error("random_split: expected no negative number of classes, found " + std::to_string(split.training_classes) +
                             " and " + std::to_string(split.validation_classes));
    if (split.training_classes > count || split.validation_classes > count - split.training_classes)
        throw data_error("random_split: expected " + std::to_string(split.training_classes) + " training and " +
                         std::to_string(split.validation_classes) + " validation classes, found " + std::to_string(count));
    std::vector<integer> order(names.size());
    std::iota(order.begin(), order.end(), integer{0});
    std::sort(order.begin(), order.end(),
              [&](integer a, integer b) { return names[static_cast<std::size_t>(a)] < names[static_cast<std::size_t>(b)]; });
    random::generator(split.seed, random::purpose::class_split, 0).shuffle(std::span<integer>(order));
    const auto first = order.begin() + split.training_classes, second = first + split.validation_classes;
    class_split result{{order.begin(), first}, {first, second}, {second, order.end()}};
    for (auto* part : {&result.training, &result.validation, &result.test}) std::sort(part->begin(), part->end());
    return result;
}

/// Splits classes by the three lists in `split.folder`. Throws `data_error` where a list is missing or empty, names no class, or repeats
/// one.
inline class_split split_classes(const std::vector<std::string>& names, const list_split& split) {
    std::map<std::string, integer> number;
    for (std::size_t i = 0; i < names.size(); ++i) number[names[i]] = static_cast<integer>(i);
    std::map<integer, std::string> seen;  // where a class was listed
    const auto read = [&](const char* list) {
        const std::filesystem::path file = split.folder / list;
        std::ifstream lines(file);
        if (!lines) throw data_error(file.string() + ": cannot be opened; expected a list of classes, one a line");
        std::vector<integer> part;
        std::string line;
        for (int at = 1; std::getline(lines, line); ++at) {
            line.erase(line.find_last_not_of(" \t\r") + 1);
            if (line.empty()) continue;
            const std::string place = file.string() + ":" + std::to_string(at);
            const auto found = number.find(line);
            if (found == number.end()) throw data_error(place + ": class " + line + " is not in the data set");
            const auto [before, is_new] = seen.emplace(found->second, place);
            if (!is_new) throw data_error(place + ": class " + line + " was listed before, at " + before->second);
            part.push_back(found->second);
        }
        if (part.empty()) throw data_error(file.string() + ": expected a list of classes, one a line; it is empty");
        std::sort(part.begin(), part.end());
        return part;
    };
    class_split result;
    result.training = read("train.txt");
    result.validation = read("val.txt");
    result.test = read("test.txt");
    return result;
}

}  // namespace bilevel::data
