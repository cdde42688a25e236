// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "hypergradient/networks.hpp"
#include "hypergradient/settings.hpp"

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/episode.hpp>

#include <cstdint>
#include <vector>

namespace exchange {

/// The arrays of an input folder.
template <class Scalar> struct arrays {
    bilevel::aligned_vector<Scalar> parameters;             // (P)
    std::vector<Scalar> support_images, query_images;       // (tasks, n, height, width, channels)
    std::vector<std::int32_t> support_labels, query_labels;  // (tasks, n)
    std::vector<std::int32_t> classes;                      // (tasks, ways), of mtl
    integer tasks = 0, support = 0, query = 0;
    integer ways = 0;     // labels of a task
    integer outputs = 0;  // columns of the head: the ways, or the training classes of mtl

    bilevel::episodes_view<Scalar, int> view() const {
        return {tasks,
                ways,
                {support, support_images.data(), support_labels.data()},
                {query, query_images.data(), query_labels.data()},
                classes.empty() ? nullptr : classes.data()};
    }
};

/// The extents of an image in the input folder of the settings. Throws `bilevel::data_error` that begins with the file's name.
std::vector<integer> image_shape(const settings& s);
/// The arrays of the input folder of the settings. Throws `bilevel::data_error` that begins with the name of the file that is not as expected.
template <class Scalar> arrays<Scalar> read_arrays(const settings& s, const compiled_network& network);
/// Writes random arrays: parameters none of which is zero or one, uniform pixels, labels 0, 1, … in turn.
template <class Scalar> void write_example(const settings& s, const compiled_network& network);

}  // namespace exchange
