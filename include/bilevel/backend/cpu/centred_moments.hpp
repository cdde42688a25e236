// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/normalised.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/array.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Mean and variance by channel, merged from those of groups of positions, each about its own mean [Chan83]:
///     apart = group mean − mean,  mean += apart count/(before + count),  squares += group squares + apart² before count/(before + count)
/// in two levels, so that no sum is of more than some tens of groups, or of tens of groups, one after the other.
template <class Scalar> class centred_moments {
public:
    /// The mean and the inverse deviation go to mean and r; `scratch` has `scratch_size` elements.
    centred_moments(Scalar* mean, Scalar* r, Scalar* scratch, integer channels)
        : all_{mean, r}, some_{scratch, scratch + channels}, channels_(channels) {
        all_.clear(channels);
        some_.clear(channels);
    }
    static integer scratch_size(integer channels) { return 2 * channels; }

    /// The groups in their order: the bits depend on it.
    void add(const Scalar* mean, const Scalar* squares, integer count) {
        some_.merge(mean, squares, count, channels_);
        if (++groups_ % together == 0) merge_some();
    }
    /// r = 1/√(variance + ε), with the biased variance.
    void finish(Scalar epsilon) {
        if (some_.count > 0) merge_some();
        for (integer q = 0; q < channels_; ++q) all_.squares[q] = inverse_deviation_of(all_.squares[q] / Scalar(all_.count), epsilon);
    }

private:
    static constexpr integer together = 32;
    struct level {
        Scalar *mean, *squares;
        integer count = 0;
        void clear(integer channels) {
            std::fill_n(mean, channels, Scalar(0));
            std::fill_n(squares, channels, Scalar(0));
            count = 0;
        }
        void merge(const Scalar* other_mean, const Scalar* other_squares, integer other_count, integer channels) {
            const Scalar share = Scalar(other_count) / Scalar(count + other_count), weight = share * Scalar(count);
            for (integer q = 0; q < channels; ++q) {
                const Scalar apart = other_mean[q] - mean[q];
                mean[q] += share * apart;
                squares[q] += other_squares[q] + weight * apart * apart;
            }
            count += other_count;
        }
    };
    void merge_some() {
        all_.merge(some_.mean, some_.squares, some_.count, channels_);
        some_.clear(channels_);
    }

    level all_, some_;
    integer channels_, groups_ = 0;
};

/// `moments` of primitives.hpp, of images as they lie in memory: the groups are blocks of positions.
template <class Scalar> class moments_of_images {
public:
    void operator()(const shared_among_threads& threads, view<Scalar> mean, view<Scalar> r, const view<const Scalar>& x, Scalar epsilon) {
        const integer channels = r.size, positions = x.batch * x.size / channels;
        const integer blocks = (positions + by_channel::block - 1) / by_channel::block;
        const auto count_of = [=](integer block) { return std::min(by_channel::block, positions - block * by_channel::block); };
        const integer merging = centred_moments<Scalar>::scratch_size(channels);
        Scalar *const merged = scratch(scratch_, merging + 2 * blocks * channels), *const of_blocks = merged + merging;
        for (integer t = 0; t < r.tasks; ++t) {
            threads.for_each_stretch(blocks, threads.shares(positions * channels), [=, in = x.at(t)](integer begin, integer end) {
                for (integer block = begin; block < end; ++block)
                    of_block(of_blocks + 2 * block * channels, in + block * by_channel::block * channels, count_of(block), channels);
            });
            centred_moments<Scalar> all(mean.at(t), r.at(t), merged, channels);
            for (integer block = 0; block < blocks; ++block) {
                const Scalar* const one = of_blocks + 2 * block * channels;
                all.add(one, one + channels, count_of(block));
            }
            all.finish(epsilon);
        }
    }

private:
    // The means, and behind them the squares.
    static void of_block(Scalar* mean, const Scalar* from, integer count, integer channels) {
        Scalar* const squares = mean + channels;
        by_channel::sum(
            count, channels, [=](integer i, integer) { return from[i]; },
            [=](integer q, Scalar total) { mean[q] = total / Scalar(count); });
        by_channel::sum(
            count, channels, [=](integer i, integer q) { return (from[i] - mean[q]) * (from[i] - mean[q]); },
            [=](integer q, Scalar total) { squares[q] = total; });
    }

    aligned_vector<Scalar> scratch_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
