// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_weights.hpp>
#include <bilevel/backend/cpu/centred_moments.hpp>
#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/rectangles.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/cpu/tile_moments.hpp>
#include <bilevel/backend/cpu/tiled_products.hpp>
#include <bilevel/backend/cpu/winograd_tiles.hpp>
#include <bilevel/backend/cpu/winograd_transforms.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The terms of a sum of convolutions, or of their adjoints, each by its two factors; those of one side have equal extents. Where the right one is weights,
/// their transform may be at hand.
template <class Scalar> struct convolution_factors {
    convolution_factors() = default;
    convolution_factors(view<const Scalar> l, const convolution_weights<Scalar>& r) : left(l), right(r), transformed(r.transformed) {}
    view<const Scalar> left, right, transformed;
};
template <class Scalar, std::size_t Terms> using convolution_terms = std::array<convolution_factors<Scalar>, Terms>;

/// Where the mean and the inverse deviation of a result go, by channel, for the ε that goes with them; see `moments` in primitives.hpp.
template <class Scalar> struct result_moments {
    view<Scalar> mean, r;
    Scalar epsilon;
};

/// Convolution with 3 × 3 kernels, stride 1 and padding 1, in tiles of m × m pixels by the minimal filtering of Winograd, F(m×m, 3×3) [Lavin16]: (m + 2)²
/// products a tile and channel pair where the definition has 9 m² (m = 2: 16 of 36, m = 4: 36 of 144),
///     y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ x B) ] A,      dw = Gᵀ [ Σ_tiles (Bᵀ x B) ⊙ (A dy Aᵀ) ] G,
/// summed over channels, or tiles, by matrix products, one for each position of the transformed tile of (m + 2)². The tiles of all images of a task form one
/// sequence, worked through in blocks. Channels and filters must be whole vectors.
template <class Scalar, integer Outputs> class winograd : winograd_transforms<Scalar, Outputs> {
public:
    static bool takes(integer channels, integer filters) { return channels % lanes<Scalar> == 0 && filters % lanes<Scalar> == 0; }

    /// Whether images have at least as many pixels as a tile, and the transformed weights, which are written and read once, small enough that this takes less time
    /// than is gained: 16 MB.
    static bool pays(integer height, integer width, integer channels, integer filters) {
        return height * width >= Outputs * Outputs && positions * channels * filters * integer(sizeof(Scalar)) <= integer{1} << 24;
    }

    /// Whether so many images are worth the transform of the weights, where these are so many that they come from memory: then it takes as long as 200
    /// multiply-adds for a pair of channels. By definition there are as many as taps fall into the images.
    static bool pays_for(integer images, integer height, integer width, integer channels, integer filters) {
        const integer taps = (3 * height - 2) * (3 * width - 2),
                      products = positions * ((height + Outputs - 1) / Outputs) * ((width + Outputs - 1) / Outputs);
        return channels * filters < 320 * 640 || images * (taps - products) > 200;
    }

    /// y = Σ conv2d(x, w) over the terms {x, w}: the sum over the terms is one over more channels, and is transformed back once.
    /// Moments: `no_moments`, or `result_moments`, where those of y go while it is written.
    template <std::size_t Terms, class Moments = no_moments<Scalar>>
    void forward(const shared_among_threads& threads, view<Scalar> y, const convolution_terms<Scalar, Terms>& terms, bool accumulate,
                 const Moments& moments = {}) {
        const integer channels = terms[0].left.extents[2], filters = y.extents[2];
        correlate_tasks(threads, y, terms, channels, filters, accumulate, moments,
                        [=, &threads](Scalar* to, const Scalar* w, integer rows, integer first_row) {
                            transform_kernels(threads, to, w, rows, first_row, channels, filters);
                        });
    }

    /// dx = Σ conv2d_backward_data(dy, w) over the terms {dy, w}: the convolution of dy with the kernel turned by 180° and transposed.
    template <std::size_t Terms>
    void backward_data(const shared_among_threads& threads, view<Scalar> dx, const convolution_terms<Scalar, Terms>& terms,
                       bool accumulate) {
        const integer channels = dx.extents[2], filters = terms[0].left.extents[2];
        correlate_tasks(threads, dx, terms, filters, channels, accumulate, no_moments<Scalar>{},
                        [=, this, &threads](Scalar* to, const Scalar* w, integer rows, integer first_row) {
                            transform_turned_kernels(threads, to, w, rows, first_row, channels, filters);
                        });
    }

    /// What `forward`, or `backward_data`, makes of the weights alone, of every task.
    void transform_weights(const shared_among_threads& threads, view<Scalar> transformed, view<const Scalar> w, bool turned) {
        const integer channels = w.extents[2], filters = w.extents[3];
        for (integer t = 0; t < w.tasks; ++t) {
            if (turned) {
                transform_turned_kernels(threads, transformed.at(t), w.at(t), filters, 0, channels, filters);
            } else {
                transform_kernels(threads, transformed.at(t), w.at(t), channels, 0, channels, filters);
            }
        }
    }

    /// dw = Σ conv2d_backward_weights(x, dy) over the terms {x, dy}. Threads share dw: each sums a rectangle of channels and filters over all tiles, in the
    /// same order whatever the rectangle.
    template <std::size_t Terms>
    void backward_weights(const shared_among_threads& threads, view<Scalar> dw, const convolution_terms<Scalar, Terms>& terms,
                          bool accumulate)
        requires(Outputs == 2)
    {
        const integer channels = terms[0].left.extents[2], filters = terms[0].right.extents[2];
        const tile_sequence all(terms[0].left);
        const tile_blocks blocks(channels, filters, all.count());
        const rectangles cut(channels, lanes<Scalar>, filters, widest_tile * lanes<Scalar>,
                             threads.shares_of_products(integer(Terms) * positions * all.count() * channels * filters));
        const integer left_plane = blocks.step * cut.most_rows() + gap, right_plane = blocks.step * cut.most_columns() + gap;
        Scalar *const left_planes = scratch(left_, threads.members() * positions * left_plane),
                      *const right_planes = scratch(right_, threads.members() * positions * right_plane),
                      *const sums = scratch(sums_, positions * matrix(channels, filters));
        const Scalar* const zeros = scratch(zeros_, channels);
        for (integer t = 0; t < dw.tasks; ++t)
            threads.for_each_part(cut.count(), cut.count(), [&](integer part, integer member) {
                const rectangle here = cut[part];  // rows of channels, columns of filters
                Scalar *const left = left_planes + member * positions * left_plane, *const right =
                                                                                        right_planes + member * positions * right_plane;
                for (std::size_t i = 0; i < Terms; ++i)
                    for (integer block = 0; block < blocks.count; ++block) {
                        const Scalar *const x = terms[i].left.at(t) + here.first_row, *const dy = terms[i].right.at(t) + here.first_column;
                        const integer first = block * blocks.step, tiles = blocks.size(block);
                        // Several panels, or blocks, of a tile at once, so that what is read of a pixel is long, but not all: each is written elsewhere.
                        for (integer c = 0; c < here.rows(); c += stripe)
                            transform_inputs(
                                [](integer taken, auto run) BILEVEL_INLINE_LAMBDA { for_each_panel(taken, run); },
                                [=](integer tile, integer begin, integer width) { return left + (c + begin) * tiles + tile * width; },
                                left_plane, x + c, zeros, all, first, tiles, channels, std::min(stripe, here.rows() - c));
                        for (integer f = 0; f < here.columns(); f += stripe)
                            transform_adjoints(
                                for_each_block,
                                [=](integer tile, integer begin, integer width) { return right + (f + begin) * tiles + tile * width; },
                                right_plane, dy + f, all, first, tiles, filters, std::min(stripe, here.columns() - f));
                        for (integer k = 0; k < positions; ++k)
                            correlate_panels(sums + k * matrix(channels, filters) + here.first_row * filters + here.first_column, filters,
                                             left + k * left_plane, right + k * right_plane, tiles, here.rows(), here.columns(),
                                             i > 0 || block > 0);
                    }
                for (integer channel = here.first_row; channel < here.end_row; ++channel)
                    transform_sums(dw.at(t), sums, channel * filters + here.first_column, here.columns(), channels, filters, accumulate);
            });
    }

private:
    using transforms = winograd_transforms<Scalar, Outputs>;
    using transforms::positions, transforms::gap, transforms::matrix, transforms::transform_inputs, transforms::transform_adjoints,
        transforms::transform_outputs, transforms::transform_rows_of_weights, transforms::transform_sums;
    using typename transforms::tile_sequence;

    // What is transformed of a tile at once: whole panels and whole blocks of columns.
    static constexpr integer stripe = 192;

    /// Tiles that are transformed together, a multiple of a register tile's rows unless one block takes all: so many that a position's matrix, once it is in
    /// the second cache, is worth it; with many channels the matrices come from memory, and are worth twice as many. Finer multiples leave the shares of a
    /// few blocks more equal.
    struct tile_blocks {
        tile_blocks(integer channels, integer filters, integer all, integer shares = 1) : tiles(all) {
            const integer most = (channels * filters >= 320 * 320 ? 384 : 192) / Outputs,
                          nearest = std::max((all + most / 2) / most, integer{1});
            const integer parts = (nearest + shares - 1) / shares * shares;
            rows = filters >= widest_tile * lanes<Scalar> ? tile_rows<widest_tile> : 24;  // 24: of tiles of any width
            step = std::min(((all + parts - 1) / parts + rows - 1) / rows * rows, all);
            count = step == 0 ? 0 : (all + step - 1) / step;
        }
        integer size(integer block) const { return std::min(step, tiles - block * step); }
        integer groups(integer of_tiles) const { return (of_tiles + rows - 1) / rows; }
        integer tiles, rows = 0, step = 0, count = 0;
    };

    /// The transformed weights of one task: of all terms together, so that they are one factor of so much more depth, or where some are at hand of each alone.
    template <std::size_t Terms> struct weight_factors {
        std::array<const Scalar*, Terms> matrices{};
        std::size_t count = 0;
        integer depth = 0;
    };

    /// transform(to, w, rows of the matrices, first row) transforms the weights of a term.
    template <std::size_t Terms, class Moments, class Transform>
    void correlate_tasks(const shared_among_threads& threads, view<Scalar> y, const convolution_terms<Scalar, Terms>& terms,
                         integer channels, integer filters, bool accumulate, const Moments& moments, Transform transform) {
        const auto at_hand = std::size_t(std::ranges::count_if(terms, [](const auto& term) { return term.transformed.data != nullptr; }));
        const bool together = at_hand == 0;
        const integer depth = together ? integer(Terms) * channels : channels;
        Scalar* const own = scratch(weights_, integer(together ? 1 : Terms - at_hand) * positions * matrix(depth, filters));
        for (integer t = 0; t < y.tasks; ++t) {
            weight_factors<Terms> weights{{own}, together ? 1 : Terms, depth};
            Scalar* to = own;
            for (std::size_t i = 0; i < Terms; ++i) {
                const auto& [left, w, transformed] = terms[i];
                if (!together) weights.matrices[i] = transformed.data != nullptr ? transformed.at(t) : to;
                if (transformed.data != nullptr) continue;
                if (t == 0 || w.stride != 0) transform(to, w.at(t), depth, together ? integer(i) * channels : 0);
                if (!together) to += positions * matrix(depth, filters);
            }
            correlate(threads, y, terms, weights, t, channels, filters, accumulate, moments);
        }
    }

    /// Threads share the blocks of tiles, whose cut no sum depends on: moments are of groups of so many tiles that every block begins with one.
    template <std::size_t Terms, class Moments>
    void correlate(const shared_among_threads& threads, view<Scalar> y, const convolution_terms<Scalar, Terms>& terms,
                   const weight_factors<Terms>& weights, integer t, integer channels, integer filters, bool accumulate,
                   const Moments& moments) {
        const integer depth = integer(Terms) * channels;
        const tile_sequence all(terms[0].left);
        const integer shares = threads.shares_of_products(positions * all.count() * depth * filters);
        const tile_blocks blocks(channels, filters, all.count(), shares);
        const integer in_plane = blocks.step * depth + gap, out_plane = blocks.step * filters + gap;
        Scalar *const ins = scratch(left_, threads.members() * positions * in_plane), *const outs =
                                                                                          scratch(right_, threads.members() * positions *
                                                                                                              out_plane);
        const Scalar* const zeros = scratch(zeros_, channels);
        const auto correlate_block = [&](integer block, integer member, auto of_block) {
            const integer first = block * blocks.step, here = blocks.size(block);
            Scalar *const in = ins + member * positions * in_plane, *const out = outs + member * positions * out_plane;
            for (std::size_t i = 0; i < Terms; ++i)
                transform_inputs([](integer taken, auto run) BILEVEL_INLINE_LAMBDA { run(0, taken); },
                                 [=](integer tile, integer, integer) { return in + tile * depth + integer(i) * channels; }, in_plane,
                                 terms[i].left.at(t), zeros, all, first, here, channels, channels);
            for (integer k = 0; k < positions; ++k)
                for (std::size_t i = 0; i < weights.count; ++i)
                    multiply_matrix(out + k * out_plane, filters, in + k * in_plane + integer(i) * weights.depth, depth,
                                    weights.matrices[i] + k * matrix(weights.depth, filters), here, weights.depth, filters, i > 0);
            transform_outputs(y.at(t), out, out_plane, all, first, here, filters, accumulate, of_block);
        };
        if constexpr (std::is_same_v<Moments, no_moments<Scalar>>) {
            threads.for_each_part(blocks.count, shares, [&](integer block, integer member) { correlate_block(block, member, moments); });
        } else {
            using groups = tile_moments<Scalar>;
            const integer size = groups::size(blocks.groups(blocks.step), filters),
                          merging = centred_moments<Scalar>::scratch_size(filters);
            Scalar *const merged = scratch(moments_, merging + threads.slots(shares) * size), *const slots = merged + merging;
            centred_moments<Scalar> all_tiles(moments.mean.at(t), moments.r.at(t), merged, filters);
            threads.for_each_part_in_order(
                blocks.count, shares,
                [&](integer block, integer member, integer slot) {
                    correlate_block(block, member, groups(slots + slot * size, blocks.rows, filters));
                },
                [&](integer block, integer slot) {
                    groups::merge(all_tiles, slots + slot * size, blocks.groups(blocks.size(block)), filters);
                });
            all_tiles.finish(moments.epsilon);
        }
    }

    /// f(first column, columns of the block) for the blocks of `for_each_column_block`.
    static constexpr auto for_each_block = [](integer columns, auto f) BILEVEL_INLINE_LAMBDA {
        for (integer first = 0, here = 0; first < columns; first += here) {
            here = std::min(block_vectors<Scalar>(columns - first) * lanes<Scalar>, columns - first);
            f(first, here);
        }
    };

    /// sums[c, f] = Σ_tiles left[tile, c] right[tile, f], or added to what is there.    // left in panels of channels, right in blocks of columns
    static void correlate_panels(Scalar* sums, integer stride, const Scalar* left, const Scalar* right, integer tiles, integer channels,
                                 integer filters, bool accumulate) {
        for_each_panel(channels, [&](integer c, integer rows) {
            for_each_column_block<Scalar>(filters, [&](auto vectors, integer f, integer columns) {
                correlate_rows<decltype(vectors)::value>(
                    sums + c * stride + f, stride, left + c * tiles, right + f * tiles, {1, 1, tiles, 0, 0, rows, 0, 0, columns}, rows,
                    columns, [](integer channel) { return channel; }, accumulate);
            });
        });
    }

    // G w Gᵀ, as rows from first_row on of matrices of `rows` rows, each of them packed.    // w (3,3,channels,filters)
    static void transform_kernels(const shared_among_threads& threads, Scalar* to, const Scalar* w, integer rows, integer first_row,
                                  integer channels, integer filters) {
        threads.for_each_stretch(channels, threads.shares(positions * channels * filters), [=](integer first, integer end) {
            transform_rows_of_weights(to, rows, first_row, w, first, end, channels, filters);
        });
    }

    // The same of the weights turned by 180° and transposed.
    void transform_turned_kernels(const shared_among_threads& threads, Scalar* to, const Scalar* w, integer rows, integer first_row,
                                  integer channels, integer filters) {
        const integer tap = channels * filters;
        Scalar* const turned = scratch(turned_, 9 * tap);
        threads.for_each_part(9, threads.shares(9 * tap), [=](integer k, integer) {
            transpose(turned + k * tap, channels, w + (8 - k) * tap, filters, channels, filters);
        });
        transform_kernels(threads, to, turned, rows, first_row, filters, channels);
    }

    aligned_vector<Scalar> weights_, turned_, left_, right_, sums_, zeros_, moments_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
