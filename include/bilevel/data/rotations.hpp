// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/data/image_set.hpp>

#include <utility>

namespace bilevel::data {

/// What is made of rotations by multiples of 90°.
enum class rotations {
    none,     // images as they are
    classes,  // a turned character is a character of its own: four times the classes [Santoro16]
    episode   // every episode turns each of its classes at random, all images of the class alike [Finn17, the authors' code]
};

/// The set with these rotations. Throws `argument_error` unless its images are square.
template <class Pixel> image_set<Pixel> rotated(image_set<Pixel> set, rotations how) {
    if (how == rotations::classes) return set.with_rotated_classes();
    if (how == rotations::episode) return set.with_turns_in_episodes();
    return set;
}

/// Rotations in training, and in validation and test too where `everywhere` says so.
template <class Pixel> image_splits<Pixel> rotated(image_splits<Pixel> splits, rotations how, bool everywhere) {
    splits.training = rotated(std::move(splits.training), how);
    if (everywhere) {
        splits.validation = rotated(std::move(splits.validation), how);
        splits.test = rotated(std::move(splits.test), how);
    }
    return splits;
}

}  // namespace bilevel::data
