// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda/divisor.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

using namespace bilevel;

TEST_CASE("divisor: quotient and remainder are those of the division, up to the largest number") {
    constexpr int largest = std::numeric_limits<int>::max();
    const auto check = [](int n, int d) {
        const backend::divided by(n, backend::divisor(d));
        if (by.quotient != n / d || by.remainder != n % d)
            FAIL_CHECK(n << " / " << d << " gave " << by.quotient << ", rest " << by.remainder);
    };
    for (int d = 1; d <= 130; ++d)
        for (int n = 0; n < 1000; ++n) check(n, d);
    // Around the multiples, where a quotient that is off by one shows, and at powers of two, where the shift changes.
    for (const int d : {1,
                        2,
                        3,
                        5,
                        7,
                        9,
                        49,
                        64,
                        75,
                        196,
                        255,
                        256,
                        257,
                        640,
                        7056,
                        65535,
                        65536,
                        65537,
                        (1 << 30) - 1,
                        1 << 30,
                        (1 << 30) + 1,
                        largest - 1,
                        largest}) {
        for (int multiple : {1, 2, 3, 1000, largest / d - 1, largest / d})
            for (int off : {-1, 0, 1}) {
                const long long n = static_cast<long long>(multiple) * d + off;
                if (n >= 0 && n <= largest) check(static_cast<int>(n), d);
            }
        for (int n : {0, largest - 1, largest}) check(n, d);
    }
    static_assert(backend::divisor(196).quotient(75 * 196 - 1) == 74);
}
