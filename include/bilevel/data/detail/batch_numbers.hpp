// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>

#include <limits>
#include <string>

namespace bilevel::data::detail {

/// Throws `argument_error` where there are no tasks first … first + tasks − 1 of a list, whose numbers have 63 bits.
inline void require_episodes(integer first, integer tasks) {
    if (first < 0 || tasks < 1 || first > std::numeric_limits<integer>::max() - tasks)
        throw argument_error("episodes(" + std::to_string(first) + ", " + std::to_string(tasks) +
                             "): expected first >= 0, tasks >= 1 and a last number of at most 63 bits");
}

/// Where the i-th batch of so many tasks begins in their list. Throws `argument_error` where there is no such batch.
inline integer first_of_batch(integer i, integer tasks) {
    if (i < 0 || tasks < 1 || i > std::numeric_limits<integer>::max() / tasks - 1)
        throw argument_error("batch(" + std::to_string(i) + ", " + std::to_string(tasks) +
                             "): expected i >= 0, tasks >= 1 and episodes with numbers of at most 63 bits");
    return i * tasks;
}

}  // namespace bilevel::data::detail
