// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/centred_moments.hpp>
#include <bilevel/backend/cpu/packet.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// What `winograd_transforms` tells of the pixels that it writes, tile by tile: nothing.
template <class Scalar> struct no_moments {
    static constexpr bool asks_often = false;  // whether a pixel exists: then tiles that are whole are worth code of their own
    void begin(integer, integer) {}
    template <integer Pixels, class Exists> BILEVEL_INLINE void add(integer, const packet<Scalar> (&)[Pixels], Exists) const {}
};

/// The moments by channel of the pixels of a block of tiles while they are in registers, in groups of so many tiles: of each group the means, the squares about
/// them, and the number of pixels. See `centred_moments` for how they merge.
template <class Scalar> class tile_moments {
public:
    static constexpr bool asks_often = true;

    tile_moments(Scalar* groups, integer tiles_of_group, integer channels) : groups_(groups), tiles_(tiles_of_group), channels_(channels) {}

    /// Elements of `count` groups.
    static integer size(integer count, integer channels) { return count * stride(channels); }

    /// The next tile of the block, by its number, and how many of its pixels exist.
    void begin(integer tile, integer pixels) {
        mean_ = groups_ + tile / tiles_ * stride(channels_);
        Scalar& count = mean_[2 * channels_];
        is_first_ = tile % tiles_ == 0;
        const Scalar before = is_first_ ? Scalar(0) : count;
        count = before + Scalar(pixels);
        inverse_ = Scalar(1) / Scalar(pixels);
        share_ = Scalar(pixels) / count;
        weight_ = share_ * before;
    }
    /// Its pixels in the vector of channels that begins with c.
    template <integer Pixels, class Exists>
    BILEVEL_INLINE void add(integer c, const packet<Scalar> (&pixels)[Pixels], Exists exists) const {
        using Eigen::internal::padd, Eigen::internal::pmadd, Eigen::internal::pmul, Eigen::internal::psub;
        packet<Scalar> own = pixels[0];  // the first pixel of a tile is in the image
        unrolled<Pixels - 1>([&](auto k) BILEVEL_INLINE_LAMBDA {
            if (exists(k + 1)) own = padd(own, pixels[k + 1]);
        });
        own = pmul(own, broadcast(inverse_));
        packet<Scalar> apart = psub(pixels[0], own), squares = pmul(apart, apart);
        unrolled<Pixels - 1>([&](auto k) BILEVEL_INLINE_LAMBDA {
            if (!exists(k + 1)) return;
            apart = psub(pixels[k + 1], own);
            squares = pmadd(apart, apart, squares);
        });
        Scalar *const mean = mean_ + c, *const all = mean + channels_;
        if (is_first_) {
            store(mean, own);
            store(all, squares);
        } else {
            const packet<Scalar> before = load(mean);
            apart = psub(own, before);
            store(mean, pmadd(broadcast(share_), apart, before));
            store(all, pmadd(pmul(broadcast(weight_), apart), apart, padd(load(all), squares)));
        }
    }

    /// The first `count` of the groups, one after the other.
    static void merge(centred_moments<Scalar>& all, const Scalar* groups, integer count, integer channels) {
        for (integer g = 0; g < count; ++g) {
            const Scalar* const one = groups + g * stride(channels);
            all.add(one, one + channels, integer(one[2 * channels]));
        }
    }

private:
    static integer stride(integer channels) { return 2 * channels + lanes<Scalar>; }

    Scalar* groups_;
    integer tiles_, channels_;
    Scalar *mean_ = nullptr, inverse_{}, share_{}, weight_{};
    bool is_first_ = true;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
