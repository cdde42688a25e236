// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda/arithmetic.hpp>
#include <bilevel/backend/cuda/tf32.hpp>
#include <bilevel/core/random.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

using namespace bilevel;
using backend::on_device::to_tf32;
using fragments = backend::on_device::warp_fragments;

TEST_CASE("tf32: numbers are rounded to the nearest, halves away from zero") {
    constexpr float ulp = 1.0F / 1024;
    static_assert(to_tf32(1 + ulp) == 1 + ulp);
    for (const float sign : {1.0F, -1.0F})
        for (const float power : {1.0F, 1024.0F, 1e-30F * 1e-7F}) { // 2⁻¹²³, near the smallest normal number
            const float one = sign * std::exp2(std::round(std::log2(power)));
            CHECK(to_tf32(one) == one);
            CHECK(to_tf32(one * (1 + ulp / 2)) == one * (1 + ulp));
            CHECK(to_tf32(one * (1 + ulp / 2 - ulp / 4096)) == one);
            CHECK(to_tf32(one * (1 + 3 * ulp / 2)) == one * (1 + 2 * ulp));
            CHECK(to_tf32(one * (2 - ulp / 2)) == 2 * one);
        }
    CHECK(to_tf32(0.0F) == 0);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(to_tf32(infinity) == infinity);
    CHECK(to_tf32(-infinity) == -infinity);
    CHECK(std::isnan(to_tf32(std::numeric_limits<float>::quiet_NaN())));
    CHECK(std::isnan(to_tf32(std::bit_cast<float>(0x7fffffffU))));  // the NaN of a device
}

TEST_CASE("tf32: the code that a device runs is the latest that is not later than the device") {
    using backend::architecture_that_runs;
    static_assert(architecture_that_runs({750}, 900) == 750);  // without tensor cores for TF32, though the device has them
    static_assert(architecture_that_runs({800, 900}, 900) == 900);
    static_assert(architecture_that_runs({900, 800}, 860) == 800);
    static_assert(architecture_that_runs({900}, 860) == 0);
}

TEST_CASE("tf32: two parts hold a float up to 2^-22, one up to 2^-11") {
    random::generator generator(3, random::purpose::user, 0);
    for (int i = 0; i < 10000; ++i) {
        const auto x = static_cast<float>(generator.uniform(-1, 1) * std::exp2(generator.uniform(-40, 40)));
        backend::on_device::fragment<1, true> two{};
        two.set(0, x);
        const double size = std::abs(double(x)), high = double(two.high[0]), low = double(two.low[0]);
        REQUIRE(std::abs(high - double(x)) <= std::exp2(-11) * size);
        REQUIRE(std::abs(high + low - double(x)) <= std::exp2(-22) * size);
        REQUIRE(to_tf32(two.high[0]) == two.high[0]);
        REQUIRE(to_tf32(two.low[0]) == two.low[0]);
    }
}

TEST_CASE("tf32: the lanes of a warp hold each element of a, b and c once") {
    const auto count = [](auto place, int each, int rows, int columns) {
        std::set<std::pair<int, int>> seen;
        for (int lane = 0; lane < fragments::lanes; ++lane)
            for (int i = 0; i < each; ++i) {
                const auto at = place(lane, i);
                CHECK(at.row >= 0);
                CHECK(at.row < rows);
                CHECK(at.column >= 0);
                CHECK(at.column < columns);
                seen.emplace(at.row, at.column);
            }
        return int(seen.size());
    };
    CHECK(count(fragments::a, fragments::of_a, 16, 8) == 16 * 8);
    CHECK(count(fragments::b, fragments::of_b, 8, 8) == 8 * 8);
    CHECK(count(fragments::c, fragments::of_c, 16, 8) == 16 * 8);
    // The tables of PTX's mma.m16n8k8 with .tf32, by a lane of the middle: group 5, number 2 in it.
    constexpr int lane = 4 * 5 + 2;
    static_assert(fragments::a(lane, 0).row == 5 && fragments::a(lane, 0).column == 2);
    static_assert(fragments::a(lane, 1).row == 13 && fragments::a(lane, 1).column == 2);
    static_assert(fragments::a(lane, 2).row == 5 && fragments::a(lane, 2).column == 6);
    static_assert(fragments::a(lane, 3).row == 13 && fragments::a(lane, 3).column == 6);
    static_assert(fragments::b(lane, 0).row == 2 && fragments::b(lane, 0).column == 5);
    static_assert(fragments::b(lane, 1).row == 6 && fragments::b(lane, 1).column == 5);
    static_assert(fragments::c(lane, 1).row == 5 && fragments::c(lane, 1).column == 5);
    static_assert(fragments::c(lane, 2).row == 13 && fragments::c(lane, 2).column == 4);
}
