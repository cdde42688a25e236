// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <limits>
#include <string>

/// The most memory that this program has had, in megabytes (10^6 bytes), or 0 where there is no /proc: getrusage counts what the process had before it became
/// this program.
inline double peak_rss_mb() {
    std::ifstream status("/proc/self/status");
    for (std::string name; status >> name; status.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
        if (double kibibytes = 0; name == "VmHWM:" && status >> kibibytes) return kibibytes * 1024 / 1e6;
    }
    return 0;
}
