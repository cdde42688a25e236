// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>

#include <Random123/philox.h>

#include <cstdint>

namespace bilevel::random {

namespace detail {

/// See `block`.
BILEVEL_HOST_DEVICE inline r123::Philox4x32::ctr_type philox(std::uint64_t seed, std::uint32_t stream, std::uint64_t index,
                                                             std::uint32_t number) {
    r123::Philox4x32::ctr_type counter{};
    r123::Philox4x32::ukey_type key{};
    counter[0] = number;
    counter[1] = stream;
    counter[2] = static_cast<std::uint32_t>(index);
    counter[3] = static_cast<std::uint32_t>(index >> 32);
    key[0] = static_cast<std::uint32_t>(seed);
    key[1] = static_cast<std::uint32_t>(seed >> 32);
    return r123::Philox4x32{}(counter, key);
}

}  // namespace detail

/// The draws of one (seed, stream, index), as kernels too can make them: the bits are those of `generator`, which checks what it is asked for; this does not.
class counter_generator {
public:
    BILEVEL_HOST_DEVICE counter_generator(std::uint64_t seed, std::uint32_t stream, std::uint64_t index)
        : seed_(seed), index_(index), stream_(stream) {}

    /// 32 random bits.
    BILEVEL_HOST_DEVICE std::uint32_t bits() {
        if (left_ == 0) {
            words_ = detail::philox(seed_, stream_, index_, number_++);
            left_ = 4;
        }
        --left_;
        // The words move up: a device keeps in registers only what is not found by a number.
        const std::uint32_t word = words_[0];
        words_[0] = words_[1];
        words_[1] = words_[2];
        words_[2] = words_[3];
        return word;
    }

    /// Uniform on 0 … n−1, n > 0, without bias: draws beyond the last whole multiple of n are thrown away.
    BILEVEL_HOST_DEVICE integer below(integer n) {
        const auto bound = static_cast<std::uint64_t>(n);
        if (bound <= 0xffffffffu) {
            const std::uint64_t range = std::uint64_t{1} << 32, limit = range - range % bound;
            std::uint64_t draw = bits();
            while (draw >= limit) draw = bits();
            return static_cast<integer>(draw % bound);
        }
        constexpr std::uint64_t most = ~std::uint64_t{0};
        const std::uint64_t excess = (most % bound + 1) % bound;  // 2⁶⁴ mod n
        std::uint64_t draw = bits64();
        while (draw > most - excess) draw = bits64();
        return static_cast<integer>(draw % bound);
    }

    /// Puts `count` values in random order (Fisher–Yates).
    template <class Value> BILEVEL_HOST_DEVICE void shuffle(Value* values, integer count) {
        for (integer left = count; left > 1; --left) {
            Value &last = values[left - 1], &other = values[below(left)];
            const Value value = last;
            last = other;
            other = value;
        }
    }

    /// Writes k ≤ n different numbers of 0 … n−1, every ordered choice being equally likely. Floyd's algorithm: takes O(k²) and no memory.
    template <class Integer> BILEVEL_HOST_DEVICE void choose(integer n, Integer* chosen, integer k) {
        for (integer i = 0; i < k; ++i) {
            const integer last = n - k + i;
            const auto draw = static_cast<Integer>(below(last + 1));
            bool is_new = true;
            for (integer j = 0; j < i; ++j) is_new = is_new && chosen[j] != draw;
            chosen[i] = is_new ? draw : static_cast<Integer>(last);
        }
        shuffle(chosen, k);  // Floyd's set is uniform, its order is not
    }

private:
    BILEVEL_HOST_DEVICE std::uint64_t bits64() {
        const std::uint64_t high = bits();
        return (high << 32) | bits();
    }

    std::uint64_t seed_, index_;
    std::uint32_t stream_, number_ = 0, left_ = 0;
    r123::Philox4x32::ctr_type words_{};
};

}  // namespace bilevel::random
