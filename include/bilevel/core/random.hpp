// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/counter_generator.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>

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
    const auto words = detail::philox(seed, stream, index, number);
    return {words[0], words[1], words[2], words[3]};
}

/// The draws of one (seed, stream, index), in order; 2³⁴ words of 32 bits. Integers and uniforms have the same bits on every machine;
/// normals pass through the C library's logarithm and sine. Throws `argument_error` where the stream needs more than 32 bits.
class generator {
public:
    generator(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) : draws_(seed, require_32_bits(stream), index) {}
    generator(std::uint64_t seed, purpose stream, std::uint64_t index) : generator(seed, static_cast<std::uint64_t>(stream), index) {}

    /// 32 random bits.
    std::uint32_t bits() { return draws_.bits(); }

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
        return draws_.below(n);
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
    template <class Value> void shuffle(std::span<Value> values) { draws_.shuffle(values.data(), static_cast<integer>(values.size())); }

    /// Fills `chosen` with different numbers of 0 … n−1, every ordered choice being equally likely. Floyd's algorithm: takes O(k²) and no
    /// memory. Throws `argument_error` where more than n are asked for.
    void choose(integer n, std::span<integer> chosen) {
        const auto k = static_cast<integer>(chosen.size());
        if (k > n) throw argument_error("random: cannot choose " + std::to_string(k) + " different numbers of " + std::to_string(n));
        draws_.choose(n, chosen.data(), k);
    }

private:
    static std::uint32_t require_32_bits(std::uint64_t stream) {
        if (stream > 0xffffffffu) throw argument_error("random: stream " + std::to_string(stream) + " does not fit in 32 bits");
        return static_cast<std::uint32_t>(stream);
    }

    counter_generator draws_;
    double spare_ = 0;
    bool has_spare_ = false;
};

}  // namespace bilevel::random
