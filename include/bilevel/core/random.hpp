// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <utility>

/// Random numbers by counter: a draw is a pure function of (seed, stream, index, number of the draw), whatever was drawn before, by any
/// thread.
namespace bilevel::random {

/// The named streams: what is drawn for one purpose never moves what is drawn for another with the same seed.
enum class purpose : std::uint64_t {
    initialisation = 1,
    class_split,
    training_episodes,
    validation_episodes,
    test_episodes,
    glyphs,
    tasks,
    user = 1024  // from here on: the user's own
};

/// The `number`-th four words of (seed, stream, index): Philox 4x32-10 [Salmon11] of the counter (number, stream, index) under the key
/// `seed`.
inline std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint32_t stream, std::uint64_t index, std::uint32_t number) {
    r123::Philox4x32::ctr_type counter{};
    r123::Philox4x32::ukey_type key{};
    counter[0] = number;
    counter[1] = stream;
    counter[2] = static_cast<std::uint32_t>(index);
    counter[3] = static_cast<std::uint32_t>(index >> 32);
    key[0] = static_cast<std::uint32_t>(seed);
    key[1] = static_cast<std::uint32_t>(seed >> 32);
    const auto words = r123::Philox4x32{}(counter, key);
    return {words[0], words[1], words[2], words[3]};
}

/// The draws of one (seed, stream, index), in order; 2³⁴ words of 32 bits. Integers and uniforms have the same bits on every machine;
/// normals pass through the C library's logarithm and sine. Throws `argument_error` where the stream needs more than 32 bits.
class generator {
public:
    generator(std::uint64_t seed, std::uint64_t stream, std::uint64_t index)
        : seed_(seed), index_(index), stream_(static_cast<std::uint32_t>(stream)) {
        if (stream > 0xffffffffu) throw argument_error("random: stream " + std::to_string(stream) + " does not fit in 32 bits");
    }
    generator(std::uint64_t seed, purpose stream, std::uint64_t index) : generator(seed, static_cast<std::uint64_t>(stream), index) {}

    /// 32 random bits.
    std::uint32_t bits() {
        if (at_ == words_.size()) {
            words_ = block(seed_, stream_, index_, number_++);
            at_ = 0;
        }
        return words_[at_++];
    }

    /// Uniform on [0, 1): a multiple of 2⁻⁵³.
    double uniform() {
        const std::uint64_t high = bits() >> 5, low = bits() >> 6;
        return static_cast<double>((high << 26) | low) * 0x1p-53;
    }

    /// Uniform between `a` and `b`.
    double uniform(double a, double b) { return a + (b - a) * uniform(); }

    /// Uniform on 0 … n−1 without bias: draws beyond the last whole multiple of n are thrown away. Throws `argument_error` unless n > 0.
    integer below(integer n) {
        if (n <= 0) throw argument_error("random: below(" + std::to_string(n) + "): expected a positive bound");
        const auto bound = static_cast<std::uint64_t>(n);
        if (bound <= 0xffffffffu) {
            const std::uint64_t range = std::uint64_t{1} << 32, limit = range - range % bound;
            std::uint64_t draw = bits();
            while (draw >= limit) draw = bits();
            return static_cast<integer>(draw % bound);
        }
        const std::uint64_t excess = (UINT64_MAX % bound + 1) % bound;  // 2⁶⁴ mod n
        std::uint64_t draw = bits64();
        while (draw > UINT64_MAX - excess) draw = bits64();
        return static_cast<integer>(draw % bound);
    }

    /// Standard normal [Box58]: of two uniforms, both of the two normals are used.
    double normal() {
        if (has_spare_) {
            has_spare_ = false;
            return spare_;
        }
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
        const double angle = 2.0 * std::numbers::pi * uniform();
        spare_ = radius * std::sin(angle);
        has_spare_ = true;
        return radius * std::cos(angle);
    }

    /// Puts `values` in random order (Fisher–Yates).
    template <class Value> void shuffle(std::span<Value> values) {
        for (std::size_t left = values.size(); left > 1; --left)
            std::swap(values[left - 1], values[static_cast<std::size_t>(below(static_cast<integer>(left)))]);
    }

    /// Fills `chosen` with different numbers of 0 … n−1, every ordered choice being equally likely. Floyd's algorithm: takes O(k²) and no
    /// memory. Throws `argument_error` where more than n are asked for.
    void choose(integer n, std::span<integer> chosen) {
        const auto k = static_cast<integer>(chosen.size());
        if (k > n) throw argument_error("random: cannot choose " + std::to_string(k) + " different numbers of " + std::to_string(n));
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const integer last = n - k + static_cast<integer>(i), draw = below(last + 1);
            const auto end = chosen.begin() + static_cast<std::ptrdiff_t>(i);
            chosen[i] = std::find(chosen.begin(), end, draw) == end ? draw : last;
        }
        shuffle(chosen);  // Floyd's set is uniform, its order is not
    }

private:
    std::uint64_t bits64() {
        const std::uint64_t high = bits();
        return (high << 32) | bits();
    }

    std::uint64_t seed_, index_;
    std::uint32_t stream_, number_ = 0;
    std::array<std::uint32_t, 4> words_{};
    std::size_t at_ = 4;
    double spare_ = 0;
    bool has_spare_ = false;
};

}  // namespace bilevel::random
