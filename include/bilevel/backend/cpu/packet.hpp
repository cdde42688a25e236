// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/eigen.hpp>

#include <type_traits>
#include <utility>

/// Inlined whatever the optimiser thinks of it: the arrays of a register tile stay in registers only if all that touches them is in one function.
#define BILEVEL_INLINE inline __attribute__((always_inline))
#define BILEVEL_INLINE_LAMBDA __attribute__((always_inline))

/// Vectors of the processor, by Eigen's packets: one source for AVX-512, AVX2, SSE2, NEON and processors without, and a multiply-add that neither
/// `-ffp-contract` nor `-ffast-math` takes apart, as happens to the compilers' own vector types.
namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

template <class Scalar> using packet = typename Eigen::internal::packet_traits<Scalar>::type;
template <class Scalar> inline constexpr integer lanes = Eigen::internal::unpacket_traits<packet<Scalar>>::size;

template <class Scalar> BILEVEL_INLINE packet<Scalar> load(const Scalar* p) { return Eigen::internal::ploadu<packet<Scalar>>(p); }
template <class Scalar> BILEVEL_INLINE packet<Scalar> broadcast(Scalar s) { return Eigen::internal::pset1<packet<Scalar>>(s); }
template <class Scalar, class Packet> BILEVEL_INLINE void store(Scalar* p, const Packet& v) { Eigen::internal::pstoreu(p, v); }

/// The first `count` lanes, which may be all.
template <class Scalar, class Packet> BILEVEL_INLINE void store_first(Scalar* p, const Packet& v, integer count) {
    if (count >= lanes<Scalar>) {
        store(p, v);
    } else {
        Scalar all[lanes<Scalar>];
        store(all, v);
        for (integer i = 0; i < lanes<Scalar>; ++i)
            if (i < count) p[i] = all[i];
    }
}
template <class Scalar> BILEVEL_INLINE packet<Scalar> load_first(const Scalar* p, integer count) {
    if (count >= lanes<Scalar>) return load(p);
    Scalar all[lanes<Scalar>] = {};
    for (integer i = 0; i < lanes<Scalar>; ++i)
        if (i < count) all[i] = p[i];
    return load(all);
}

/// Loads and stores of all lanes, and of the first ones: what a loop over vectors hands to its body.
template <class Scalar> struct whole_vector {
    BILEVEL_INLINE packet<Scalar> get(const Scalar* p) const { return load(p); }
    BILEVEL_INLINE void put(Scalar* p, const packet<Scalar>& v) const { store(p, v); }
};
template <class Scalar> struct part_of_vector {
    integer count;
    BILEVEL_INLINE packet<Scalar> get(const Scalar* p) const { return load_first(p, count); }
    BILEVEL_INLINE void put(Scalar* p, const packet<Scalar>& v) const { store_first(p, v, count); }
};
/// f(lanes of the vector, its first element) for 0 … count − 1.
template <class Scalar, class F> BILEVEL_INLINE void for_each_vector(integer count, F f) {
    integer i = 0;
    for (; i + lanes<Scalar> <= count; i += lanes<Scalar>) f(whole_vector<Scalar>{}, i);
    if (i < count) f(part_of_vector<Scalar>{count - i}, i);
}

namespace unrolling {
template <class F, integer... I> BILEVEL_INLINE void each(F& f, std::integer_sequence<integer, I...>) {
    (f(std::integral_constant<integer, I>{}), ...);
}
}  // namespace unrolling

/// f(0), …, f(N − 1), one after the other, with constants: no optimiser is asked to unroll a loop.
template <integer N, class F> BILEVEL_INLINE void unrolled(F&& f) { unrolling::each(f, std::make_integer_sequence<integer, N>{}); }

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
