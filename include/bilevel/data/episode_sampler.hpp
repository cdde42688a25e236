// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/memory.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/data/detail/batch_numbers.hpp>
#include <bilevel/data/image_set.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bilevel::data {

/// What an episode is made of, and which list of episodes it is.
struct episode_settings {
    integer ways = 5;                                            // classes an episode
    integer shots = 1;                                           // support images a class
    integer queries = 1;                                         // query images a class
    std::uint64_t seed = 7;
    random::purpose purpose = random::purpose::training_episodes;  // another purpose is another list
};

/// N-way K-shot episodes of an image set [Vinyals16]. Episode e is a pure function of (set, settings, e): its classes are drawn without
/// replacement and in random order, the order gives the local labels 0 … ways−1, and the support and query images of a class are drawn
/// without replacement. The views that it hands out live in its own memory until the next call; after the first call of a size it allocates
/// nothing. Which memory that is one may say: a device copies faster from its own (`cuda_pinned_memory`).
template <class Scalar = float, class Pixel = std::uint8_t> class episode_sampler {
public:
    using scalar = Scalar;
    using target = int;

    /// Throws `argument_error` where the settings make no episode, `data_error` where the set has too few classes or a class too few
    /// images.
    episode_sampler(image_set<Pixel> set, episode_settings settings, memory& batches = host_memory())
        : set_(std::move(set)), settings_(settings), support_inputs_(batches), query_inputs_(batches), support_labels_(batches),
          query_labels_(batches), classes_(batches) {
        const auto& s = settings_;
        if (s.ways < 2) throw argument_error("ways: expected at least 2, found " + std::to_string(s.ways));
        if (s.shots < 1) throw argument_error("shots: expected at least 1, found " + std::to_string(s.shots));
        if (s.queries < 0) throw argument_error("queries: expected at least 0, found " + std::to_string(s.queries));
        if (s.ways > set_.class_count())
            throw data_error("an episode of " + std::to_string(s.ways) + " ways needs as many classes; the set has " +
                             std::to_string(set_.class_count()));
        for (integer c = 0; c < set_.class_count(); ++c)
            if (const auto have = static_cast<integer>(set_[c].images.size()); have < s.shots + s.queries)
                throw data_error("class " + set_[c].name + ": " + std::to_string(s.shots) + " shots and " + std::to_string(s.queries) +
                                 " queries need " + std::to_string(s.shots + s.queries) + " images, it has " + std::to_string(have));
        chosen_classes_.resize(static_cast<std::size_t>(s.ways));
        chosen_images_.resize(static_cast<std::size_t>(s.shots + s.queries));
    }

    const image_set<Pixel>& set() const { return set_; }
    const episode_settings& settings() const { return settings_; }

    /// The i-th meta-batch: episodes i·tasks … i·tasks + tasks − 1. Any i in any order; throws `argument_error` where i < 0 or tasks < 1.
    episodes_view<Scalar, int> batch(integer i, integer tasks) { return episodes(detail::first_of_batch(i, tasks), tasks); }

    /// The episodes first … first + tasks − 1 of the list. Throws `argument_error` where first < 0 or tasks < 1.
    episodes_view<Scalar, int> episodes(integer first, integer tasks) {
        detail::require_episodes(first, tasks);
        const auto& s = settings_;
        const integer size = set_.image_size(), support = s.ways * s.shots, query = s.ways * s.queries;
        support_inputs_.resize(static_cast<std::size_t>(tasks * support * size));
        query_inputs_.resize(static_cast<std::size_t>(tasks * query * size));
        support_labels_.resize(static_cast<std::size_t>(tasks * support));
        query_labels_.resize(static_cast<std::size_t>(tasks * query));
        classes_.resize(static_cast<std::size_t>(tasks * s.ways));
        for (integer t = 0; t < tasks; ++t)
            fill(first + t, support_inputs_.data() + t * support * size, support_labels_.data() + t * support,
                 query_inputs_.data() + t * query * size, query_labels_.data() + t * query, classes_.data() + t * s.ways);
        return {tasks,
                s.ways,
                {support, support_inputs_.data(), support_labels_.data(), size},
                {query, query_inputs_.data(), query_labels_.data(), size},
                classes_.data()};
    }

    /// What episode `episode` consists of: the global ids of its classes, and put(is support, label, image of the set, quarter turns) for each of its images
    /// in the order of the arrays.    // classes (ways)
    template <class Put> void draw(integer episode, int* classes, Put put) {
        random::generator generator(settings_.seed, settings_.purpose, static_cast<std::uint64_t>(episode));
        generator.choose(set_.class_count(), std::span<integer>(chosen_classes_));
        for (integer w = 0; w < settings_.ways; ++w) {
            const integer id = chosen_classes_[static_cast<std::size_t>(w)];
            const image_class& c = set_[id];
            const int turns = c.quarter_turns + (set_.turns_in_episodes() ? static_cast<int>(generator.below(4)) : 0);
            generator.choose(static_cast<integer>(c.images.size()), std::span<integer>(chosen_images_));
            for (std::size_t k = 0; k < chosen_images_.size(); ++k)
                put(static_cast<integer>(k) < settings_.shots, static_cast<int>(w), c.images[static_cast<std::size_t>(chosen_images_[k])],
                    turns % 4);
            classes[w] = static_cast<int>(id);
        }
    }

private:
    void fill(integer episode, Scalar* support, int* support_labels, Scalar* query, int* query_labels, int* classes) {
        draw(episode, classes, [&](bool is_support, int label, integer image, int turns) {
            Scalar*& out = is_support ? support : query;
            set_.gather(image, turns, out);
            out += set_.image_size();
            *(is_support ? support_labels : query_labels)++ = label;
        });
    }

    image_set<Pixel> set_;
    episode_settings settings_;
    std::vector<integer> chosen_classes_, chosen_images_;
    aligned_vector<Scalar> support_inputs_, query_inputs_;
    aligned_vector<int> support_labels_, query_labels_, classes_;
};

/// The sampler of a set, in float unless another scalar is named: `episodes(set, {.ways = 5})`, `episodes<double>(set, {…})`.
template <class Scalar = float, class Pixel>
episode_sampler<Scalar, Pixel> episodes(image_set<Pixel> set, const episode_settings& settings, memory& batches = host_memory()) {
    return {std::move(set), settings, batches};
}

}  // namespace bilevel::data
