// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

using bilevel::integer;
namespace random_numbers = bilevel::random;
using random_numbers::generator;
using random_numbers::purpose;

TEST_CASE("random: Philox 4x32-10 gives Random123's published answers") {
    using words = std::array<std::uint32_t, 4>;
    CHECK(random_numbers::block(0, 0, 0, 0) == words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(random_numbers::block(~std::uint64_t{0}, 0xffffffff, ~std::uint64_t{0}, 0xffffffff) ==
          words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(random_numbers::block(0x299f31d0a4093822, 0x85a308d3, 0x0370734413198a2e, 0x243f6a88) ==
          words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random: a generator hands out the words of its blocks in order") {
    generator g(0x0123456789abcdef, 5, 0xfedcba9876543210);
    for (std::uint32_t number = 0; number < 3; ++number)
        for (const std::uint32_t word : random_numbers::block(0x0123456789abcdef, 5, 0xfedcba9876543210, number)) CHECK(g.bits() == word);
    generator uniform(0, 0, 0);  // the first two known words, 53 bits of them
    CHECK(uniform.uniform() == static_cast<double>(((0x6627e8d5ull >> 5) << 26) | (0xe169c58dull >> 6)) / 9007199254740992.0);
    CHECK_THROWS_AS(generator(0, std::uint64_t{1} << 32, 0), bilevel::argument_error);
}

TEST_CASE("random: seed, stream and index each give draws of their own") {
    const auto first = [](auto... key) { return generator(key...).bits(); };
    std::set<std::uint32_t> seen;
    for (std::uint64_t k = 0; k < 64; ++k) {
        seen.insert(first(k, std::uint64_t{0}, std::uint64_t{0}));
        seen.insert(first(std::uint64_t{0}, k + 1, std::uint64_t{0}));
        seen.insert(first(std::uint64_t{0}, std::uint64_t{0}, k + 1));
        seen.insert(first((k + 1) << 32, std::uint64_t{0}, std::uint64_t{0}));
        seen.insert(first(std::uint64_t{0}, std::uint64_t{0}, (k + 1) << 32));
    }
    CHECK(seen.size() == 320);

    // Streams do not move together: the correlation of n pairs has standard deviation 1/√n; five of them.
    const int n = 20000;
    for (const auto& [other_stream, other_index] : {std::pair{purpose::test_episodes, 0u}, std::pair{purpose::training_episodes, 1u}}) {
        generator a(7, purpose::training_episodes, 0), b(7, other_stream, other_index);
        double product = 0;
        for (int i = 0; i < n; ++i) product += (a.uniform() - 0.5) * (b.uniform() - 0.5) * 12;
        CHECK(std::abs(product / n) < 5 / std::sqrt(n));
    }
}

TEST_CASE("random: uniforms fill [0, 1) evenly") {
    generator g(3, purpose::user, 0);
    const int n = 100000;
    std::array<int, 16> bins{};
    double low = 1, high = 0;
    for (int i = 0; i < n; ++i) {
        const double u = g.uniform();
        low = std::min(low, u);
        high = std::max(high, u);
        ++bins[static_cast<std::size_t>(u * 16)];
    }
    CHECK(low >= 0);
    CHECK(high < 1);
    double chi2 = 0;
    for (const int count : bins) chi2 += (count - n / 16.0) * (count - n / 16.0) / (n / 16.0);
    CHECK(chi2 < 37.7);  // 99.9 % quantile with 15 degrees of freedom
    for (int i = 0; i < 1000; ++i) {
        const double u = g.uniform(-5, 3);
        CHECK(u >= -5);
        CHECK(u < 3);
    }
}

TEST_CASE("random: below reaches every number equally often, without bias") {
    generator g(11, purpose::user, 0);
    std::array<int, 7> counts{};
    for (int i = 0; i < 70000; ++i) ++counts[static_cast<std::size_t>(g.below(7))];
    double chi2 = 0;
    for (const int count : counts) chi2 += (count - 1e4) * (count - 1e4) / 1e4;
    CHECK(chi2 < 22.5);  // 99.9 % quantile with 6 degrees of freedom

    // With the bound 3·2³⁰ the remainder of a 32-bit word would fall below 2³⁰ half the time, instead of a third.
    int low = 0;
    for (int i = 0; i < 30000; ++i) low += g.below(integer{3} << 30) < (integer{1} << 30);
    CHECK(std::abs(low - 10000) < 5 * std::sqrt(30000 * 2.0 / 9));
    low = 0;  // and the same with 64-bit words
    for (int i = 0; i < 30000; ++i) low += g.below(integer{3} << 61) < (integer{1} << 61);
    CHECK(std::abs(low - 10000) < 5 * std::sqrt(30000 * 2.0 / 9));
    CHECK(g.below(1) == 0);
    CHECK_THROWS_AS(g.below(0), bilevel::argument_error);
    CHECK_THROWS_AS(g.below(-3), bilevel::argument_error);
}

TEST_CASE("random: normals have the moments of a normal, and the pair is independent") {
    generator g(5, purpose::user, 0);
    const int n = 100000;
    std::vector<double> x(n);
    for (double& value : x) value = g.normal();
    double mean = 0, second = 0, third = 0, fourth = 0, pair = 0;
    for (const double v : x) mean += v, second += v * v, third += v * v * v, fourth += v * v * v * v;
    for (std::size_t i = 0; i + 1 < x.size(); i += 2) pair += x[i] * x[i + 1];
    const double root = std::sqrt(n);
    // Five standard deviations of each sample moment: √1, √2, √15, √96, and the pairs' √1 over n/2.
    CHECK(std::abs(mean / n) < 5 / root);
    CHECK(std::abs(second / n - 1) < 5 * std::sqrt(2.0) / root);
    CHECK(std::abs(third / n) < 5 * std::sqrt(15.0) / root);
    CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96.0) / root);
    CHECK(std::abs(pair / (n / 2)) < 5 * std::sqrt(2.0) / root);
}

TEST_CASE("random: shuffle gives each order equally often") {
    std::array<int, 24> counts{};
    for (std::uint64_t i = 0; i < 24000; ++i) {
        std::array<int, 4> order{0, 1, 2, 3};
        generator(9, purpose::user, i).shuffle(std::span<int>(order));
        std::array<int, 4> sorted = order;
        std::sort(sorted.begin(), sorted.end());
        REQUIRE(sorted == std::array<int, 4>{0, 1, 2, 3});
        int rank = 0;
        for (std::size_t a = 0; a < 4; ++a) {
            int smaller = 0;
            for (std::size_t b = a + 1; b < 4; ++b) smaller += order[b] < order[a];
            rank = rank * static_cast<int>(4 - a) + smaller;
        }
        ++counts[static_cast<std::size_t>(rank)];
    }
    double chi2 = 0;
    for (const int count : counts) chi2 += (count - 1e3) * (count - 1e3) / 1e3;
    CHECK(chi2 < 49.8);  // 99.9 % quantile with 23 degrees of freedom
}

TEST_CASE("random: choose gives different numbers, each ordered choice equally often") {
    std::array<int, 25> counts{};
    for (std::uint64_t i = 0; i < 20000; ++i) {
        std::array<integer, 2> pair{};
        generator(9, purpose::user, i).choose(5, pair);
        ++counts[static_cast<std::size_t>(pair[0] * 5 + pair[1])];
    }
    double chi2 = 0;
    for (std::size_t a = 0; a < 5; ++a)
        for (std::size_t b = 0; b < 5; ++b) {
            const double count = counts[a * 5 + b];
            if (a == b)
                CHECK(count == 0);
            else
                chi2 += (count - 1e3) * (count - 1e3) / 1e3;
        }
    CHECK(chi2 < 43.8);  // 99.9 % quantile with 19 degrees of freedom

    std::vector<integer> all(50);
    generator(1, purpose::user, 0).choose(50, all);
    std::sort(all.begin(), all.end());
    std::vector<integer> expected(50);
    std::iota(expected.begin(), expected.end(), integer{0});
    CHECK(all == expected);
    std::vector<integer> many(51);
    CHECK_THROWS_AS(generator(1, purpose::user, 0).choose(50, many), bilevel::argument_error);
    generator(1, purpose::user, 0).choose(5, std::span<integer>{});
}
