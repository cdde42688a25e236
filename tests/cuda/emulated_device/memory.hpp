// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

/// The memory of the emulated device and of the host beside it.
namespace emulated {

enum class place { device, pinned, managed, elsewhere };

/// None where there is no more.
void* allocate(place in, std::size_t bytes);
/// False where nothing begins at this address.
bool deallocate(void* data);
place place_of(const void* data);

void copy(void* to, const void* from, std::size_t bytes);
void set(void* to, int value, std::size_t bytes);

/// What runs now, for messages; a number of its own for whatever counts as a kernel.
void begin_kernel(const std::string& name);
void end_kernel();

/// Says what is wrong, once for each kernel; the program's exit status will not be zero.
void complain(const std::string& what);
/// The same, and the program ends.
[[noreturn]] void refuse(const std::string& what);

}  // namespace emulated
