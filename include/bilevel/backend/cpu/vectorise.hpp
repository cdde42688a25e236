// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// In front of an inner loop whose iterations do not read what others write: compilers then vectorise it without testing for overlap at every entry.
#if defined(__clang__)
#define BILEVEL_INDEPENDENT_ITERATIONS _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define BILEVEL_INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#else
#define BILEVEL_INDEPENDENT_ITERATIONS
#endif
