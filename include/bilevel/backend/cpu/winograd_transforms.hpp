// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/convolution_weights.hpp>
#include <bilevel/backend/cpu/minimal_filtering.hpp>
#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/winograd_tiles.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The transforms of F(m×m, 3×3), those of `minimal_filtering` along both axes, whole vectors of channels at a time: tiles of images to and from planes, one
/// for each of the (m + 2)² positions of the transformed tile, and weights to and from as many matrices; see `winograd`.
template <class Scalar, integer Outputs> class winograd_transforms {
protected:
    static constexpr integer edge = Outputs + 2, positions = edge * edge;
    static constexpr integer gap = gap_between_matrices<Scalar>;  // between planes too
    using tile_sequence = winograd_tiles<Outputs>;

    /// Elements from one of the matrices to the next.
    static integer matrix(integer channels, integer filters) { return channels * filters + gap; }

    // Bᵀ x B of the first `taken` of the channels from x on, in runs; as many zeros for the pixels beyond the image.
    // runs(taken, f) calls f(first channel, channels) for each run, which goes to to(tile, first channel, channels) in the first of the planes.
    template <class Runs, class To>
    static void transform_inputs(Runs runs, To to, integer plane, const Scalar* x, const Scalar* zeros, const tile_sequence& all,
                                 integer first, integer count, integer channels, integer taken) {
        all.for_each(first, count, [&](integer t, integer n, integer row, integer column) {
            const Scalar* const image = x + n * all.height * all.width * channels;
            const auto transform = [&](auto get) BILEVEL_INLINE_LAMBDA {
                runs(taken, [&](integer begin, integer width) BILEVEL_INLINE_LAMBDA {
                    Scalar* const out = to(t, begin, width) - begin;
                    for (integer c = begin; c < begin + width; c += lanes<Scalar>)
                        filtering::along_both_axes<Scalar, edge, edge>(
                            [](auto from, auto put) BILEVEL_INLINE_LAMBDA { filter::input(from, put); },
                            [&](integer k) BILEVEL_INLINE_LAMBDA { return get(k, c); },
                            [&](integer k, const vector& v) BILEVEL_INLINE_LAMBDA { store(out + k * plane + c, v); });
                });
            };
            const bool inside = row > 0 && column > 0 && row + Outputs < all.height && column + Outputs < all.width;
            if (inside) {
                const Scalar* const corner = image + ((row - 1) * all.width + column - 1) * channels;
                const integer down = all.width * channels;
                transform([&](integer k, integer c)
                              BILEVEL_INLINE_LAMBDA { return load(corner + k / edge * down + k % edge * channels + c); });
            } else {
                const Scalar* pixel[positions];
                for (integer k = 0; k < positions; ++k) {
                    const integer i = row + k / edge - 1, j = column + k % edge - 1;
                    const bool exists = i >= 0 && j >= 0 && i < all.height && j < all.width;
                    pixel[k] = exists ? image + (i * all.width + j) * channels : zeros;
                }
                transform([&](integer k, integer c) BILEVEL_INLINE_LAMBDA { return load(pixel[k] + c); });
            }
        });
    }

    // Aᵀ m A, and what of it lies in the image, told to `moments` as well: see `no_moments` and `tile_moments`.
    template <class Moments>
    static void transform_outputs(Scalar* y, const Scalar* from, integer plane, const tile_sequence& all, integer first, integer count,
                                  integer filters, bool accumulate, Moments moments) {
        all.for_each(first, count, [&](integer t, integer n, integer row, integer column) {
            Scalar* const corner = y + ((n * all.height + row) * all.width + column) * filters;
            const integer down = all.width * filters, rows = std::min(all.height - row, Outputs),
                          columns = std::min(all.width - column, Outputs);
            moments.begin(t, rows * columns);
            const auto transform = [&](auto exists) BILEVEL_INLINE_LAMBDA {
                for (integer c = 0; c < filters; c += lanes<Scalar>) {
                    const Scalar* const m = from + t * filters + c;
                    vector pixels[Outputs * Outputs];
                    filtering::along_both_axes<Scalar, edge, Outputs>(
                        [](auto get, auto put) BILEVEL_INLINE_LAMBDA { filter::output(get, put); },
                        [&](integer k) BILEVEL_INLINE_LAMBDA { return load(m + k * plane); },
                        [&](integer k, const vector& v) BILEVEL_INLINE_LAMBDA {
                            pixels[k] = v;
                            if (exists(k)) write(corner + k / Outputs * down + k % Outputs * filters + c, v, accumulate);
                        });
                    moments.add(c, pixels, exists);
                }
            };
            if constexpr (Moments::asks_often) {
                if (rows == Outputs && columns == Outputs) return transform([](integer) { return true; });
            }
            transform([=](integer k) { return k / Outputs < rows && k % Outputs < columns; });
        });
    }

    // A dy Aᵀ of the first `taken` of the filters from dy on, with zeros for the pixels beyond the image; runs and to as above.
    template <class Runs, class To>
    static void transform_adjoints(Runs runs, To to, integer plane, const Scalar* dy, const tile_sequence& all, integer first,
                                   integer count, integer filters, integer taken) {
        all.for_each(first, count, [&](integer t, integer n, integer row, integer column) {
            const Scalar* const corner = dy + ((n * all.height + row) * all.width + column) * filters;
            const integer down = all.width * filters, rows = all.height - row, columns = all.width - column;
            runs(taken, [&](integer begin, integer width) BILEVEL_INLINE_LAMBDA {
                Scalar* const out = to(t, begin, width) - begin;
                for (integer c = begin; c < begin + width; c += lanes<Scalar>)
                    filtering::along_both_axes<Scalar, Outputs, edge>(
                        [](auto get, auto put) BILEVEL_INLINE_LAMBDA { filter::output_adjoint(get, put); },
                        [&](integer k) BILEVEL_INLINE_LAMBDA {
                            const bool exists = k / Outputs < rows && k % Outputs < columns;
                            return exists ? load(corner + k / Outputs * down + k % Outputs * filters + c) : broadcast(Scalar(0));
                        },
                        [&](integer k, const vector& v) BILEVEL_INLINE_LAMBDA { store(out + k * plane + c, v); });
            });
        });
    }

    // G w Gᵀ of some channels, as rows from first_row on of the matrices, each of them packed and of `rows` rows.    // w (3,3,channels,filters)
    static void transform_rows_of_weights(Scalar* to, integer rows, integer first_row, const Scalar* w, integer first_channel,
                                          integer end_channel, integer channels, integer filters) {
        const integer tap = channels * filters, plane = matrix(rows, filters);
        for_each_column_block<Scalar>(filters, [&](auto vectors, integer first, integer) {
            constexpr integer width = decltype(vectors)::value * lanes<Scalar>;
            for (integer c = first_channel; c < end_channel; ++c)
                for (integer j = 0; j < width; j += lanes<Scalar>) {
                    const Scalar* const from = w + c * filters + first + j;
                    Scalar* const out = to + first * rows + (first_row + c) * width + j;
                    filtering::along_both_axes<Scalar, 3, edge>([](auto get, auto put) BILEVEL_INLINE_LAMBDA { filter::weights(get, put); },
                                                                [&](integer k) BILEVEL_INLINE_LAMBDA { return load(from + k * tap); },
                                                                [&](integer k, const vector& v)
                                                                    BILEVEL_INLINE_LAMBDA { store(out + k * plane, v); });
                }
        });
    }

    // Gᵀ s G, of the elements first … first + count − 1 of the matrices.
    static void transform_sums(Scalar* dw, const Scalar* sums, integer first, integer count, integer channels, integer filters,
                               bool accumulate) {
        const integer tap = channels * filters, plane = matrix(channels, filters);
        for (integer e = first; e < first + count; e += lanes<Scalar>)
            filtering::along_both_axes<Scalar, edge, 3>([](auto get, auto put) BILEVEL_INLINE_LAMBDA { filter::weights_adjoint(get, put); },
                                                        [&](integer k) BILEVEL_INLINE_LAMBDA { return load(sums + k * plane + e); },
                                                        [&](integer k, const vector& v)
                                                            BILEVEL_INLINE_LAMBDA { write(dw + k * tap + e, v, accumulate); });
    }

private:
    using vector = packet<Scalar>;
    using filter = minimal_filtering<Scalar, Outputs>;

    BILEVEL_INLINE static void write(Scalar* to, const vector& v, bool accumulate) {
        store(to, accumulate ? filtering::sum(load(to), v) : v);
    }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
