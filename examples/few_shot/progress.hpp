// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace few_shot {

/// How far a loop is, on stderr: one line that is redrawn, with a bar and the time left, on a terminal; elsewhere (a log) a plain line now and then,
/// ever more seldom: after 5 seconds, then 10, 20 … at most 60 apart.
class progress {
public:
    progress(std::string what, std::uint64_t total, std::uint64_t begin = 0) : what_(std::move(what)), total_(total), begin_(begin) {}
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress() { clear(); }

    /// `done` of the total are done; `text` gives what else there is to say, and is called only when something is printed.
    template <class Text> void update(std::uint64_t done, Text text) {
        const double now = seconds();
        if (now < next_ && !(is_terminal_ && done == total_)) return;
        const double left = done > begin_ ? now / double(done - begin_) * double(total_ - done) : 0;
        if (is_terminal_) {
            // The bar has what is left of the line: a line that wraps could not be redrawn.
            const std::string words = count(done) + ", " + text() + ", " + clock(left) + " left";
            const std::size_t around = what_.size() + words.size() + 5, columns = terminal_columns();
            const std::size_t width = std::min<std::size_t>(40, columns > around ? columns - around : 0);
            std::string bar(total_ > 0 ? std::size_t(double(width) * double(done) / double(total_)) : width, '=');
            bar.resize(width, ' ');
            std::fprintf(stderr, "\r%s [%s] %s\033[K", what_.c_str(), bar.c_str(), words.c_str());
            drawn_ = true;
            next_ = now + 0.1;
        } else {
            std::fprintf(stderr, "%s %s, %s, %s left\n", what_.c_str(), count(done).c_str(), text().c_str(), clock(left).c_str());
            pause_ = std::min(60.0, 2 * pause_);
            next_ = now + pause_;
        }
        std::fflush(stderr);
    }

    /// Removes the bar, so that something else can be printed.
    void clear() {
        if (drawn_) std::fputs("\r\033[K", stderr);
        drawn_ = false;
    }

    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::string count(std::uint64_t done) const { return std::to_string(done) + "/" + std::to_string(total_); }
    static std::size_t terminal_columns() {
        winsize size{};
        return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    }
    static std::string clock(double seconds) {
        const auto s = static_cast<unsigned long>(seconds + 0.5);
        char text[64];
        if (s >= 3600) {
            std::snprintf(text, sizeof text, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
        } else {
            std::snprintf(text, sizeof text, "%lu:%02lu", s / 60, s % 60);
        }
        return text;
    }

    std::string what_;
    std::uint64_t total_, begin_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    bool is_terminal_ = ::isatty(STDERR_FILENO) == 1, drawn_ = false;
    double pause_ = 5, next_ = is_terminal_ ? 0 : 5;
};

}  // namespace few_shot
