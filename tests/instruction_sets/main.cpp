// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Units of one program that are compiled for different processors keep kernels of their own: were they merged by the linker, the plain unit would run AVX2,
// or the wide one would not.
#include "unit.hpp"

#include <cmath>
#include <cstdio>
#include <string>

int main() {
    const auto fail = [](const std::string& why) {
        std::fprintf(stderr, "%s\n", why.c_str());
        return 1;
    };
    if (plain_unit::instructions().find("SSE2") == std::string::npos) return fail("the plain unit has " + plain_unit::instructions());
    const auto plain = plain_unit::convolve();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        std::puts("no AVX2 here: the wide unit is linked, and not run");
        return 0;
    }
    if (wide_unit::instructions().find("AVX2") == std::string::npos) return fail("the wide unit has " + wide_unit::instructions());
    const auto wide = wide_unit::convolve();
    for (std::size_t i = 0; i < plain.size(); ++i)
        if (!(std::abs(plain[i] - wide[i]) <= 1e-4f)) return fail("the units do not agree at " + std::to_string(i));
    std::puts("both units compute, each with its own instructions");
    return 0;
}
