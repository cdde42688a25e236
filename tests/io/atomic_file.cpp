// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "temporary_folder.hpp"

#include <bilevel/io/atomic_file.hpp>

#include <doctest/doctest.h>

#include <csignal>

#include <sys/resource.h>

using bilevel::data_error;
using bilevel::io::write_atomically;

TEST_CASE("atomic file: writes, replaces and leaves nothing else behind") {
    const temporary_folder folder;
    write_atomically(folder / "a", "first");
    CHECK(read_file(folder / "a") == "first");
    write_atomically(folder / "a", std::string("sec\0nd", 6));
    CHECK(read_file(folder / "a") == std::string("sec\0nd", 6));
    write_atomically(folder / "empty", "");
    CHECK(std::filesystem::file_size(folder / "empty") == 0);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("atomic file: a left-over partial file does no harm") {
    const temporary_folder folder;
    write_file(folder / "a.partial", "the rest of a run that was killed, and longer than what is written now");
    write_atomically(folder / "a", "new");
    CHECK(read_file(folder / "a") == "new");
    CHECK_FALSE(std::filesystem::exists(folder / "a.partial"));
}

TEST_CASE("atomic file: a link is followed, not replaced") {
    const temporary_folder folder;
    write_file(folder / "real", "old");
    std::filesystem::create_symlink(folder / "real", folder / "link");
    write_atomically(folder / "link", "new");
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(read_file(folder / "real") == "new");
}

TEST_CASE("atomic file: a link to what is not there yet is followed, link by link") {
    const temporary_folder folder;
    std::filesystem::create_directory(folder / "elsewhere");
    std::filesystem::create_symlink("elsewhere/real", folder / "second");
    std::filesystem::create_symlink("second", folder / "first");
    write_atomically(folder / "first", "new");
    CHECK(std::filesystem::is_symlink(folder / "first"));
    CHECK(std::filesystem::is_symlink(folder / "second"));
    CHECK(read_file(folder / "elsewhere" / "real") == "new");

    std::filesystem::create_symlink("circle", folder / "circle");
    const std::string message = message_of<data_error>([&] { write_atomically(folder / "circle", "new"); });
    CHECK(message.starts_with((folder / "circle").string() + ": cannot be written: "));
    CHECK(std::filesystem::is_symlink(folder / "circle"));
}

TEST_CASE("atomic file: what cannot be written is named") {
    const temporary_folder folder;
    const auto missing = (folder / "missing" / "a").string();
    CHECK(message_of<data_error>([&] { write_atomically(missing, "x"); }).starts_with(missing + ": cannot be created: No such file"));
    CHECK(contains(message_of<data_error>([&] { write_atomically(folder.path(), "x"); }), "it is a folder"));
    if (std::filesystem::exists("/dev/full"))
        CHECK(
            message_of<data_error>([] { write_atomically("/dev/full", "x"); }).starts_with("/dev/full: cannot be written: No space left"));
}

TEST_CASE("atomic file: a disk that is full in the middle leaves the old file and no other") {
    const temporary_folder folder;
    write_atomically(folder / "a", "old");
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 4096;  // the file may not grow beyond: writing fails as it does on a full disk
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string message = message_of<data_error>([&] { write_atomically(folder / "a", std::string(100000, 'x')); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(message.starts_with((folder / "a").string() + ": cannot be written: "));
    CHECK(read_file(folder / "a") == "old");
    CHECK_FALSE(std::filesystem::exists(folder / "a.partial"));
}
