// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/packet.hpp>

#include <algorithm>
#include <cstdint>

/// The largest element of a pooling window and its position, and what is chosen by such positions. In vectors written out: GNU 12 vectorises none of it for
/// AVX2, which took the first block of a Conv-4 five times as long.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The positions of the maxima of some channels, as numbers of the width of the others.
template <class Scalar> class window_positions {
public:
    static constexpr integer most = 64;  // channels, a multiple of all lanes

    void load_from(const std::uint8_t* position, integer count) {
        for (integer q = 0; q < count; ++q) numbers_[q] = static_cast<Scalar>(position[q]);
        for (integer q = count; q % lanes<Scalar> != 0; ++q) numbers_[q] = Scalar(0);
    }
    void store_to(std::uint8_t* position, integer count) const {
        for (integer q = 0; q < count; ++q) position[q] = static_cast<std::uint8_t>(static_cast<int>(numbers_[q]));
    }
    BILEVEL_INLINE packet<Scalar> get(integer q) const { return load(numbers_ + q); }
    BILEVEL_INLINE void put(integer q, const packet<Scalar>& v) { store(numbers_ + q, v); }

    /// v where the position is k, zero elsewhere.
    BILEVEL_INLINE packet<Scalar> only(Scalar k, integer q, const packet<Scalar>& v) const {
        return Eigen::internal::pand(Eigen::internal::pcmp_eq(get(q), broadcast(k)), v);
    }

private:
    Scalar numbers_[most];
};

/// Takes the candidate where it is larger, or the first NaN: of equal ones the first stays.
template <class Packet, class Scalar>
BILEVEL_INLINE void take_larger(Packet& best, Packet& which, const Packet& candidate, Scalar position) {
    using namespace Eigen::internal;
    const Packet better = pand(pcmp_lt_or_nan(best, candidate), pcmp_eq(best, best));
    best = pselect(better, candidate, best);
    which = pselect(better, broadcast(position), which);
}

/// out[q] = finish(the largest z), position[q] = where it is, for q < channels.    // z(lanes, k, q): the elements from channel q on, at position k
template <class Scalar, class Z, class Finish>
BILEVEL_INLINE void pool_maximum(Scalar* out, std::uint8_t* position, integer channels, Z z, Finish finish) {
    window_positions<Scalar> positions;
    for (integer first = 0; first < channels; first += positions.most) {
        const integer count = std::min(positions.most, channels - first);
        for_each_vector<Scalar>(count, [&](auto lane, integer q) BILEVEL_INLINE_LAMBDA {
            packet<Scalar> best = z(lane, 0, first + q), which = broadcast(Scalar(0));
            take_larger(best, which, z(lane, 1, first + q), Scalar(1));
            take_larger(best, which, z(lane, 2, first + q), Scalar(2));
            take_larger(best, which, z(lane, 3, first + q), Scalar(3));
            lane.put(out + first + q, finish(best));
            positions.put(q, which);
        });
        positions.store_to(position + first, count);
    }
}

/// z > 0 ? z : slope z.
template <class Scalar, class Packet> BILEVEL_INLINE Packet rectified(const Packet& z, Scalar slope) {
    using namespace Eigen::internal;
    return pselect(pcmp_lt(broadcast(Scalar(0)), z), z, pmul(z, broadcast(slope)));
}
/// The derivative: x > 0 ? 1 : slope.
template <class Scalar, class Packet> BILEVEL_INLINE Packet slope_at(const Packet& x, Scalar slope) {
    using namespace Eigen::internal;
    return pselect(pcmp_lt(broadcast(Scalar(0)), x), broadcast(Scalar(1)), broadcast(slope));
}

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
