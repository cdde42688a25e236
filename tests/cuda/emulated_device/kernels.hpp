// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include "kernel.hpp"

#include <driver_types.h>
#include <vector_types.h>

#include <string>
#include <vector>

namespace emulated {

/// A module of a program: the text of its PTX, which lies in the program uncompressed.
void add_module(const void* fat_binary);
/// The kernel of this name, translated and compiled when it is first asked for, and kept in a folder for later programs.
const kernel& kernel_of(const std::string& name);

/// Every thread of every block, one after another, up to where they wait for each other.
void run(const kernel& of, const std::string& name, dim3 grid, dim3 threads, const std::vector<char>& parameters);

}  // namespace emulated
