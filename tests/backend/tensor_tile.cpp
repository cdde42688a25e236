// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cuda/tensor_tile.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <set>

using namespace bilevel;
using fragments = backend::on_device::warp_fragments;

namespace {
using tile = backend::tensor_tile<128, 64, 32, 32>;

/// The banks of shared memory in which the 32 lanes of a warp meet an element of `left`, at (k, m) = of(lane).
template <class Of> std::size_t banks(const tile::slab& slab, Of of) {
    std::set<std::ptrdiff_t> seen;
    for (int lane = 0; lane < fragments::lanes; ++lane) {
        const auto [k, m] = of(lane);
        seen.insert((&slab.left[k][tile::slab::place(k, m)] - &slab.left[0][0]) % 32);
    }
    return seen.size();
}
struct element {
    int k, m;
};
}  // namespace

TEST_CASE("tensor tile: each element of a slab has a place of its own, in its row") {
    for (int k = 0; k < tile::depth; ++k) {
        std::set<int> places;
        for (int m = 0; m < tile::rows; ++m) places.insert(tile::slab::place(k, m));
        CHECK(int(places.size()) == tile::rows);
        CHECK(*places.begin() == 0);
        CHECK(*places.rbegin() == tile::rows - 1);
    }
}

TEST_CASE("tensor tile: the lanes of a warp meet in no bank") {
    const auto slab = std::make_unique<tile::slab>();
    for (int k = 0; k < tile::depth; k += fragments::terms)
        for (int first = 0; first < tile::rows; first += fragments::columns) {
            for (int q = 0; q < fragments::of_a && first + fragments::rows <= tile::rows; ++q)
                CHECK(banks(*slab, [&](int lane) {
                          const auto at = fragments::a(lane, q);
                          return element{k + at.column, first + at.row};
                      }) == 32);
            for (int q = 0; q < fragments::of_b; ++q)
                CHECK(banks(*slab, [&](int lane) {
                          const auto at = fragments::b(lane, q);
                          return element{k + at.row, first + at.column};
                      }) == 32);
        }
    // Those who write: sixteen terms of two rows, or a term of 32 rows.
    for (int first = 0; first < tile::rows; first += 2)
        CHECK(banks(*slab, [&](int lane) { return element{lane % 16, first + lane / 16}; }) == 32);
    for (int k = 0; k < tile::depth; ++k)
        for (int first = 0; first < tile::rows; first += 32) CHECK(banks(*slab, [&](int lane) { return element{k, first + lane}; }) == 32);
}
