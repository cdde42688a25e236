// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

// The instruction set that this unit is compiled for, as an inline namespace around everything of the cpu backend: units of one program that are compiled
// with different flags then have types and kernels of their own, instead of the linker keeping one of two functions of the same name.
#if defined(__AVX512F__)
#define BILEVEL_INSTRUCTION_SET avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define BILEVEL_INSTRUCTION_SET avx2
#elif defined(__AVX__)
#define BILEVEL_INSTRUCTION_SET avx
#elif defined(__SSE2__)
#define BILEVEL_INSTRUCTION_SET sse2
#elif defined(__ARM_NEON)
#define BILEVEL_INSTRUCTION_SET neon
#else
#define BILEVEL_INSTRUCTION_SET plain
#endif

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

inline constexpr const char* instruction_set =
#if defined(__AVX512F__)
    "AVX-512";
#elif defined(__AVX2__) && defined(__FMA__)
    "AVX2";
#elif defined(__AVX__)
    "AVX";
#elif defined(__SSE2__)
    "SSE2";
#elif defined(__ARM_NEON)
    "NEON";
#else
    "no vector instructions";
#endif

/// How many vectors the processor's registers hold.
inline constexpr integer vector_registers =
#if defined(__AVX512F__) || defined(__ARM_NEON)
    32;
#else
    16;
#endif

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
