// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/data/image_set.hpp>

#include <vector>

namespace bilevel::data::detail {

/// An image of a set and by how many quarters it is turned, counter-clockwise; and both in one number.
struct turned_number {
    integer image = 0;
    int quarter_turns = 0;

    BILEVEL_HOST_DEVICE static turned_number from(integer number) { return {number / 4, static_cast<int>(number % 4)}; }
    BILEVEL_HOST_DEVICE integer number() const { return 4 * image + quarter_turns; }
};

/// The classes of a set, as kernels read them.
struct class_lists {
    integer classes = 0;
    const integer* first = nullptr;  // (classes + 1): where the images of a class begin
    const integer* images = nullptr;  // turned numbers, class after class
    bool turns_in_episodes = false;
};

/// Those of an image set.
class set_of_lists {
public:
    template <class Pixel> explicit set_of_lists(const image_set<Pixel>& set) : turns_in_episodes_(set.turns_in_episodes()) {
        for (integer c = 0; c < set.class_count(); ++c) {
            first.push_back(static_cast<integer>(images.size()));
            for (const integer image : set[c].images) images.push_back(turned_number{image, set[c].quarter_turns}.number());
        }
        first.push_back(static_cast<integer>(images.size()));
    }

    class_lists view() const { return view(first.data(), images.data()); }
    /// Of copies elsewhere.
    class_lists view(const integer* first_elsewhere, const integer* images_elsewhere) const {
        return {static_cast<integer>(first.size()) - 1, first_elsewhere, images_elsewhere, turns_in_episodes_};
    }

    std::vector<integer> first, images;

private:
    bool turns_in_episodes_;
};

}  // namespace bilevel::data::detail
