// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace bilevel::io {

namespace detail {

/// A file descriptor that is closed at the end of its scope.
class descriptor {
public:
    descriptor(const std::filesystem::path& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(); }

    explicit operator bool() const { return number_ >= 0; }
    int number() const { return number_; }
    bool close() {
        const int number = number_;
        number_ = -1;
        return number < 0 || ::close(number) == 0;
    }
    bool write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::write(number_, bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

private:
    int number_;
};

}  // namespace detail

/// The file behind a link, or behind a link to a link, whether it exists or not; any other path as it is.
inline std::filesystem::path behind_links(std::filesystem::path file) {
    namespace fs = std::filesystem;
    std::error_code failure;
    constexpr int most = 40;  // as the system does: links may lead in a circle
    for (int followed = 0; followed < most && fs::is_symlink(fs::symlink_status(file, failure)); ++followed) {
        const fs::path to = fs::read_symlink(file, failure);
        if (failure) break;
        file = file.parent_path() / to;  // which is `to` where that is absolute
    }
    return file;
}

/// Writes a file so that at any moment, whatever fails or is killed, it is the old one or the new one, whole: the bytes go to FILE.partial
/// in the same folder, to the disk, and only then take the name. A link is followed; what is no regular file (/dev/stdout) is written in
/// place. Two writers of the same file at the same time are not served. Throws `data_error` that begins with the file's name; the old file
/// is then as it was.
inline void write_atomically(const std::filesystem::path& file, std::string_view bytes) {
    namespace fs = std::filesystem;
    const auto fail = [&](const char* what) {
        const int reason = errno;
        throw data_error(file.string() + ": cannot be " + what + ": " + std::strerror(reason));
    };
    std::error_code ignored;
    const fs::file_status status = fs::status(file, ignored);
    if (fs::is_directory(status)) throw data_error(file.string() + ": cannot be written: it is a folder");
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        detail::descriptor device(file, O_WRONLY);
        if (!device || !device.write(bytes) || !device.close()) fail("written");
        return;
    }
    const fs::path target = behind_links(file);
    if (fs::is_symlink(fs::symlink_status(target, ignored))) {
        errno = ELOOP;
        fail("written");
    }
    fs::path partial = target;
    partial += ".partial";
    const auto give_up = [&](const char* what) {
        const int reason = errno;
        ::unlink(partial.c_str());
        errno = reason;
        fail(what);
    };
    detail::descriptor out(partial, O_WRONLY | O_CREAT | O_TRUNC);
    if (!out) fail("created");
    if (!out.write(bytes) || ::fsync(out.number()) != 0 || !out.close()) give_up("written");
    if (std::rename(partial.c_str(), target.c_str()) != 0) give_up("replaced");
    // The new name is on the disk once its folder is. Some file systems cannot do that; the file itself is whole all the same.
    if (detail::descriptor folder(target.has_parent_path() ? target.parent_path() : fs::path("."), O_RDONLY); folder)
        ::fsync(folder.number());
}

}  // namespace bilevel::io
