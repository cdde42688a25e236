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
#include <bilevel/data/detail/class_lists.hpp>
#include <bilevel/data/detail/drawn_episodes.hpp>
#include <bilevel/data/image_set.hpp>

#include <cstddef>
#include <cstdint>
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
        : set_(std::move(set)), settings_(settings), lists_(set_), support_inputs_(batches), query_inputs_(batches),
          support_labels_(batches), query_labels_(batches), classes_(batches) {
        const auto& s = settings_;
        if (s.ways < 2) throw argument_error("ways: expected at least 2, found " + std::to_string(s.ways));
        if (s.shots < 1) throw argument_error("shots: expected at least 1, found " + std::to_string(s.shots));
        if (s.queries < 0) throw argument_error("queries: expected at least 0, found " + std::to_string(s.queries));
        if (s.ways > set_.class_count())
            throw data_error("an episode of " + std::to_string(s.ways) + " ways needs as many classes; the set has " +
                             std::to_string(set_.class_count()));
        for (integer c = 0; c < set_.class_count(); ++c)
            if (const auto have = static_cast<integer>(set_[c].images.size()); s.shots > have || s.queries > have - s.shots)
                throw data_error("class " + set_[c].name + ": " + std::to_string(s.shots) + " shots and " + std::to_string(s.queries) +
                                 " queries need " + std::to_string(std::uint64_t(s.shots) + std::uint64_t(s.queries)) + " images, it has " +
                                 std::to_string(have));
        random::generator(s.seed, s.purpose, 0);  // throws where there is no such stream
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
        chosen_images_.resize(static_cast<std::size_t>(tasks * (support + query)));
        const auto draw = drawn(lists_.view(), &first, classes_.data(), chosen_images_.data());
        for (integer t = 0; t < tasks; ++t) draw(t);
        Scalar *support_input = support_inputs_.data(), *query_input = query_inputs_.data();
        int *support_label = support_labels_.data(), *query_label = query_labels_.data();
        const integer* number = chosen_images_.data();
        for (integer way = 0; way < tasks * s.ways; ++way)
            for (integer k = 0; k < draw.of_class; ++k) {
                const bool is_support = k < s.shots;
                const auto image = detail::turned_number::from(*number++);
                Scalar*& to = is_support ? support_input : query_input;
                set_.gather(image.image, image.quarter_turns, to);
                to += size;
                *(is_support ? support_label : query_label)++ = static_cast<int>(way % s.ways);
            }
        return {tasks,
                s.ways,
                {support, support_inputs_.data(), support_labels_.data(), size, set_.image_extents()},
                {query, query_inputs_.data(), query_labels_.data(), size, set_.image_extents()},
                classes_.data()};
    }

    /// The classes of the set as drawing reads them.
    const detail::set_of_lists& lists() const { return lists_; }
    /// What the episodes from *first on consist of, drawn from the lists of this set, wherever they lie.
    detail::drawn_episodes drawn(const detail::class_lists& lists, const integer* first, int* classes, integer* images) const {
        const auto& s = settings_;
        return {lists, s.ways, s.shots + s.queries, s.seed, static_cast<std::uint32_t>(s.purpose), first, classes, images};
    }

private:
    image_set<Pixel> set_;
    episode_settings settings_;
    detail::set_of_lists lists_;
    std::vector<integer> chosen_images_;
    aligned_vector<Scalar> support_inputs_, query_inputs_;
    aligned_vector<int> support_labels_, query_labels_, classes_;
};

/// The sampler of a set, in float unless another scalar is named: `episodes(set, {.ways = 5})`, `episodes<double>(set, {…})`.
template <class Scalar = float, class Pixel>
episode_sampler<Scalar, Pixel> episodes(image_set<Pixel> set, const episode_settings& settings, memory& batches = host_memory()) {
    return {std::move(set), settings, batches};
}

}  // namespace bilevel::data
