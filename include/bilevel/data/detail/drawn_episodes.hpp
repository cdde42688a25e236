// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/counter_generator.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/data/detail/class_lists.hpp>

#include <cstdint>

namespace bilevel::data::detail {

/// What the episodes of a list consist of: i ↦ the numbers of episode *first + i, written to the i-th rows. They are a pure function of the other members and
/// the episode's number, on the host and in kernels.
struct drawn_episodes {
    class_lists lists;
    integer ways, of_class;  // classes an episode; support and query images of each of them
    std::uint64_t seed;
    std::uint32_t stream;
    const integer* first;
    int* classes;  // (episodes, ways)
    integer* images;  // (episodes, ways, of_class) turned numbers; those of the support set come before those of the query set

    /// The classes alone, and the generator after them.
    BILEVEL_HOST_DEVICE random::counter_generator draw_classes(integer i) const {
        random::counter_generator draw(seed, stream, static_cast<std::uint64_t>(*first + i));
        draw.choose(lists.classes, classes + i * ways, ways);
        return draw;
    }

    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        auto draw = draw_classes(i);
        for (integer w = 0; w < ways; ++w) {
            const integer* const from = lists.first + classes[i * ways + w];
            integer* const chosen = images + (i * ways + w) * of_class;
            const int turns = lists.turns_in_episodes ? static_cast<int>(draw.below(4)) : 0;
            draw.choose(from[1] - from[0], chosen, of_class);
            for (integer k = 0; k < of_class; ++k) {
                auto image = turned_number::from(lists.images[from[0] + chosen[k]]);
                image.quarter_turns = (image.quarter_turns + turns) % 4;
                chosen[k] = image.number();
            }
        }
    }
};

}  // namespace bilevel::data::detail
