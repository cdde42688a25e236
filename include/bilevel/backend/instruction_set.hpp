// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

// The instruction set that this unit is compiled for, as an inline namespace: units of one program that are compiled with different flags then have types and
// kernels of their own, instead of the linker keeping one of two functions of the same name. It is around backend::cpu, backend::reference and everything in
// cpu/ and reference/, threads and scratch memory too; a template of one of these, such as a solver, is a unit's own then as well.
//
// It is not around what every backend shares (where arrays lie and what kernels are called with: host_arrays, convolution_geometry, activation …) or what lies
// outside of the backend (core/, data/, io/ …), nor can it be around templates of the standard library, of Eigen and of Random123 over types of those. A program
// keeps one copy of these, that of the unit which is linked first: let that be one which every processor runs.
//
// There is a name for every step of vectors that processors took; what flags add beside them (bit counting, say) is not told apart, and comes with them in all
// processors that have it.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#if defined(__AVX512VBMI__)
#define BILEVEL_INSTRUCTION_SET avx512_vbmi
#else
#define BILEVEL_INSTRUCTION_SET avx512
#endif
#elif defined(__AVX512F__)
#define BILEVEL_INSTRUCTION_SET avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#define BILEVEL_INSTRUCTION_SET avx2
#elif defined(__AVX2__)
#define BILEVEL_INSTRUCTION_SET avx2_without_fma
#elif defined(__AVX__) && defined(__FMA__)
#define BILEVEL_INSTRUCTION_SET avx_fma
#elif defined(__AVX__)
#define BILEVEL_INSTRUCTION_SET avx
#elif defined(__SSE4_2__)
#define BILEVEL_INSTRUCTION_SET sse4_2
#elif defined(__SSE4_1__)
#define BILEVEL_INSTRUCTION_SET sse4_1
#elif defined(__SSSE3__)
#define BILEVEL_INSTRUCTION_SET ssse3
#elif defined(__SSE3__)
#define BILEVEL_INSTRUCTION_SET sse3
#elif defined(__SSE2__)
#define BILEVEL_INSTRUCTION_SET sse2
#elif defined(__ARM_NEON)
#define BILEVEL_INSTRUCTION_SET neon
#else
#define BILEVEL_INSTRUCTION_SET plain
#endif

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The vectors that the kernels are written for.
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
#if defined(__AVX512F__) || defined(__aarch64__)
    32;
#else
    16;
#endif

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
