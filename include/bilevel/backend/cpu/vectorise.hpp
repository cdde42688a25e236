// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

// In front of an inner loop whose iterations do not read what others write: g++ then vectorises it without testing for overlap at every entry.
// clang gets no such hint: where it cannot follow one (under a sanitizer, at -O1) it warns, in whatever program includes the header.
#if defined(__GNUC__) && !defined(__clang__)
#define BILEVEL_INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#else
#define BILEVEL_INDEPENDENT_ITERATIONS
#endif
