// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/data/class_split.hpp>
#include <bilevel/data/detail/png.hpp>
#include <bilevel/data/detail/shrink.hpp>
#include <bilevel/data/image_set.hpp>
#include <bilevel/data/rotations.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace bilevel::data {

/// How Omniglot is read.
struct omniglot_settings {
    std::variant<random_split, list_split> split = random_split{};  // which characters are for training, validation and test
    data::rotations rotations = data::rotations::classes;
    bool rotate_everywhere = false;  // in validation and test too; otherwise in training only
    integer size = 28;               // the drawings are shrunk from 105×105 to size×size
    integer drawings = 20;           // at least so many of every character
};

namespace detail {

/// The entries of a folder in the order of their names. Throws `data_error` where there is no such folder.
inline std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder, const std::string& expectation) {
    std::error_code failure;
    std::vector<std::filesystem::path> entries;
    for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure)) {
        if (!at->path().filename().string().starts_with('.')) entries.push_back(at->path());
    }
    if (failure) throw data_error(folder.string() + ": " + failure.message() + "; expected " + expectation);
    std::sort(entries.begin(), entries.end());
    return entries;
}

/// Whether an entry is a folder, or leads to one. Throws `data_error` where that cannot be known.
inline bool is_folder(const std::filesystem::path& entry) {
    std::error_code failure;
    const bool result = std::filesystem::is_directory(entry, failure);
    if (failure && failure != std::errc::no_such_file_or_directory) throw data_error(entry.string() + ": " + failure.message());
    return result;
}

/// Every character of Omniglot, "Alphabet/characterNN", with its drawings' files in order.
inline std::map<std::string, std::vector<std::filesystem::path>> omniglot_characters(const std::filesystem::path& folder,
                                                                                     integer drawings) {
    std::map<std::string, std::vector<std::filesystem::path>> characters;
    for (const char* part : {"images_background", "images_evaluation"}) {
        const std::size_t before = characters.size();
        for (const auto& alphabet : sorted_entries(folder / part, "the folders images_background and images_evaluation of Omniglot")) {
            if (!is_folder(alphabet)) continue;
            for (const auto& character : sorted_entries(alphabet, "a folder for each character")) {
                if (!is_folder(character)) continue;
                const std::string name = alphabet.filename().string() + "/" + character.filename().string();
                const auto [entry, is_new] = characters.try_emplace(name);
                if (!is_new) throw data_error(character.string() + ": character " + name + " is there twice");
                for (const auto& file : sorted_entries(character, "a folder of PNG images"))
                    if (file.extension() == ".png") entry->second.push_back(file);
                if (static_cast<integer>(entry->second.size()) < drawings)
                    throw data_error(character.string() + ": expected " + std::to_string(drawings) + " drawings (*.png), found " +
                                     std::to_string(entry->second.size()));
            }
        }
        if (characters.size() == before)
            throw data_error((folder / part).string() + ": holds no characters; expected ALPHABET/characterNN/*.png");
    }
    return characters;
}

/// The folder of the Vinyals lists: beside the images, in a folder beside them, or in one beside the data set's own.
inline std::filesystem::path omniglot_lists(const std::filesystem::path& folder) {
    const auto plain = (folder / ".").lexically_normal().parent_path();  // without a trailing slash
    const auto beside = plain.has_parent_path() ? plain.parent_path() : std::filesystem::path("..");
    const std::array candidates{folder / "omniglot_vinyals", folder / "splits", folder / "splits" / "omniglot_vinyals",
                                beside / "omniglot_vinyals", beside / "splits" / "omniglot_vinyals"};
    std::string tried;
    for (const auto& candidate : candidates) {
        std::error_code ignored;
        if (std::filesystem::exists(candidate / "train.txt", ignored)) return candidate;
        tried += (tried.empty() ? "" : ", ") + candidate.string();
    }
    throw data_error(folder.string() + ": no list of training classes; expected train.txt, val.txt and test.txt in one of " + tried);
}

}  // namespace detail

/// Reads Omniglot [Lake15] from the folders images_background/ALPHABET/characterNN/*.png and images_evaluation/…, which the official
/// archives unpack to; the two are pooled. Drawings are shrunk by the mean over areas, with ink = 1 and paper = 0, and held as bytes. The
/// lists of a `list_split` without a folder are looked for in omniglot_vinyals or splits, in `folder` or beside it. Throws `data_error`,
/// naming the file and what was expected, where a folder, a file, a drawing or a listed character is missing, or an image is damaged or not
/// 105×105; `argument_error` where a setting makes no sense.
inline image_splits<std::uint8_t> omniglot(const std::filesystem::path& folder, const omniglot_settings& settings = {}) {
    constexpr integer original = 105;
    const integer size = settings.size;
    if (size < 1 || size > original)
        throw argument_error("size: expected 1 to " + std::to_string(original) + " pixels, found " + std::to_string(size));
    const auto characters = detail::omniglot_characters(folder, settings.drawings);
    std::vector<std::string> names;
    std::size_t count = 0;
    for (const auto& [name, files] : characters) {
        names.push_back(name);
        count += files.size();
    }
    // The split comes first: it is cheap, and the files of a data set that cannot be split need not be read.
    const class_split split = std::visit(
        [&](auto chosen) {
            if constexpr (std::is_same_v<decltype(chosen), list_split>) {
                if (chosen.folder.empty()) chosen.folder = detail::omniglot_lists(folder);
                return split_classes(names, chosen);
            } else {
                try {
                    return split_classes(names, chosen);
                } catch (const data_error& too_few) {
                    throw data_error(folder.string() + ": " + too_few.what());
                }
            }
        },
        settings.split);

    const auto extent = static_cast<std::size_t>(size);
    auto pixels = std::make_shared<xt::xtensor<std::uint8_t, 4>>(std::array<std::size_t, 4>{count, extent, extent, 1});
    std::vector<image_class> classes;
    integer image = 0;
    for (const auto& [name, files] : characters) {
        image_class& c = classes.emplace_back(image_class{name});
        for (const auto& file : files) {
            auto grey = detail::decode_grey_png(detail::read_bytes(file, 1 << 20), file.string(), original, original);
            for (std::uint8_t& g : grey) g = static_cast<std::uint8_t>(255 - g);
            detail::shrink(grey.data(), original, pixels->data() + image * size * size, size);
            c.images.push_back(image++);
        }
    }

    const image_set<std::uint8_t> all(std::move(pixels), {});
    const auto part = [&](const std::vector<integer>& numbers) {
        std::vector<image_class> chosen;
        for (const integer i : numbers) chosen.push_back(classes[static_cast<std::size_t>(i)]);
        return all.with_classes(std::move(chosen));
    };
    return rotated(image_splits<std::uint8_t>{part(split.training), part(split.validation), part(split.test)}, settings.rotations,
                   settings.rotate_everywhere);
}

}  // namespace bilevel::data
