// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/data.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/data/glyphs.hpp>
#include <bilevel/data/omniglot.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace few_shot {

namespace {

namespace data = bilevel::data;
using bilevel::argument_error;
using set = data::image_set<>;

// A training task of multi-task learning is not split: its support set is drawn, since an episode has one, and not looked at.
integer training_shots(const settings& s) { return s.algorithm.value == "mtl" ? 1 : s.shots.value; }

integer images_of_smallest_class(const set& images) {
    integer smallest = integer(images[0].images.size());
    for (integer c = 1; c < images.class_count(); ++c) smallest = std::min(smallest, integer(images[c].images.size()));
    return smallest;
}

void check_fits(const settings& s, const char* name, const set& images, integer shots, const char* queries_name, integer queries) {
    const std::string set_name = std::string("the ") + name + " set of " + s.dataset.value;
    if (s.ways > images.class_count())
        throw argument_error("--ways: expected at most the " + std::to_string(images.class_count()) + " classes of " + set_name +
                             ", found " + std::to_string(s.ways.value));
    if (const integer drawings = images_of_smallest_class(images); shots + queries > drawings)
        throw argument_error("--shots and --" + std::string(queries_name) + ": " + std::to_string(shots) + " + " + std::to_string(queries) +
                             " images of a class, but " + set_name + " has " + std::to_string(drawings) + " of one");
}

// FNV-1a over the pixels and the classes, so that a checkpoint is not continued on other images.
class hash {
public:
    void add(std::uint64_t value) { number_ = (number_ ^ value) * 0x100000001b3u; }
    void add(const set& images) {
        add(std::uint64_t(images.class_count()));
        for (integer c = 0; c < images.class_count(); ++c) {
            add(std::uint64_t(images[c].quarter_turns));
            for (const integer i : images[c].images) add(std::uint64_t(i));
        }
    }
    void add_pixels(const set& images) {
        for (const std::uint8_t pixel : images.images()) add(pixel);
    }
    std::string text() const {
        std::string out;
        for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[number_ >> shift & 15];
        return out;
    }

private:
    std::uint64_t number_ = 0xcbf29ce484222325u;
};

data::rotations rotations_of(const settings& s) {
    return s.rotations.value == "classes"   ? data::rotations::classes
           : s.rotations.value == "episode" ? data::rotations::episode
                                            : data::rotations::none;
}

sampler sampler_of(const set& images, const settings& s, integer shots, integer queries, bilevel::random::purpose purpose,
                   bilevel::memory& in) {
    return data::episodes(images, {.ways = s.ways, .shots = shots, .queries = queries, .seed = s.seed, .purpose = purpose}, in);
}

}  // namespace

images load_images(const settings& s) {
    images result;
    if (s.dataset.value == "omniglot") {
        data::omniglot_settings how{.rotations = rotations_of(s)};
        // As the MAML authors have it: 1 200 training characters, of which 100 are held back where there is validation.
        const integer held_back = s.validation_interval > 0 ? 100 : 0;
        if (s.split.value == "vinyals") {
            how.split = data::list_split{};
        } else {
            how.split = data::random_split{.training_classes = 1200 - held_back, .validation_classes = held_back, .seed = s.seed};
        }
        result.splits = data::omniglot(s.data.value, how);
    } else {
        result.splits = data::glyphs({.rotations = rotations_of(s), .seed = s.seed});
    }
    check_fits(s, "training", result.splits.training, training_shots(s), "queries", s.queries);
    if (s.validation_interval > 0) check_fits(s, "validation", result.splits.validation, s.shots, "test-queries", s.test_queries);
    check_fits(s, "test", result.splits.test, s.shots, "test-queries", s.test_queries);

    hash all;
    all.add_pixels(result.splits.training);
    for (const auto* part : {&result.splits.training, &result.splits.validation}) all.add(*part);
    result.fingerprint = "images=" + all.text() + "\n";
    result.description = s.dataset.value + ": " + std::to_string(result.splits.training.class_count()) + " training, " +
                         std::to_string(result.splits.validation.class_count()) + " validation and " +
                         std::to_string(result.splits.test.class_count()) + " test classes" +
                         (s.rotations.value == "none" ? ", no rotations" : ", rotations (" + s.rotations.value + ") in training alone");
    return result;
}

sampler training_episodes(const settings& s, const images& from, bilevel::memory& in) {
    return sampler_of(from.splits.training, s, training_shots(s), s.queries, bilevel::random::purpose::training_episodes, in);
}
sampler validation_episodes(const settings& s, const images& from, bilevel::memory& in) {
    return sampler_of(from.splits.validation, s, s.shots, s.test_queries, bilevel::random::purpose::validation_episodes, in);
}
sampler test_episodes(const settings& s, const images& from, bilevel::memory& in) {
    return sampler_of(from.splits.test, s, s.shots, s.test_queries, bilevel::random::purpose::test_episodes, in);
}

}  // namespace few_shot
