// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Units of one program that are compiled for different processors keep kernels of their own: were they merged by the linker, the plain unit would run wider
// instructions, or a wide one would not.
#include "unit.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {
[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

/// The unit of instructions of that name has them, and agrees with the plain one; or it is not run, where the processor has them not.
void check(bool runs, const std::string& name, std::string (*instructions)(), std::vector<float> (*convolve)()) {
    if (!runs) {
        std::printf("no %s here: its unit is linked, and not run\n", name.c_str());
        return;
    }
    if (instructions().find(name) == std::string::npos) fail("the unit of " + name + " has " + instructions());
    const auto plain = plain_unit::convolve(), own = convolve();
    for (std::size_t i = 0; i < plain.size(); ++i)
        if (!(std::abs(plain[i] - own[i]) <= 1e-4f)) fail("the units of SSE2 and " + name + " differ at " + std::to_string(i));
    std::printf("%s: computes with its own instructions\n", name.c_str());
}
}  // namespace

int main() {
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    check(true, "SSE2", plain_unit::instructions, plain_unit::convolve);
    check(avx2, "AVX2", wide_unit::instructions, wide_unit::convolve);
    check(avx512, "AVX-512", widest_unit::instructions, widest_unit::convolve);
}
