// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/by_channel.hpp>
#include <bilevel/backend/cpu/packed_weights.hpp>
#include <bilevel/backend/cpu/scratch.hpp>
#include <bilevel/backend/cpu/tiled_products.hpp>
#include <bilevel/core/aligned_vector.hpp>

#include <algorithm>
#include <cstring>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Where the patches of images with padding lie: `rows` × `columns` of them, a patch being `runs` stretches of `length` elements, one image row apart.
struct patch_positions {
    integer rows, columns, stride;  // vertically, in image rows
    integer pitch, column_pitch;  // elements from one image row to the next, from one patch to the next
    integer height, channels;  // of the image with padding
    integer runs, length;
    integer terms() const { return runs * length; }
};

/// Mean and covariance of patches. Sums are of elements less the mean of their channel, so that what the mean of the patches adds to the covariance, which
/// is then taken off, is what borders and padding make of it, never the square of the data's mean.
/// With stride 1 a patch shares all of its rows but one with the patch below: the products of two runs, row a with row a + d, are summed once for each
/// row a and belong to all patches that a is in, which differ for the first and last rows alone.
template <class Scalar> class patch_moments_of {
public:
    /// Sums up what the centre is the mean of: all images of a task, (pixels, channels). So many threads will sum images, at most `slots` of them before they
    /// are added.
    void begin(const patch_positions& at, const Scalar* x, integer pixels, integer members, integer slots) {
        at_ = at;
        left_ = at.stride == 1 ? at.length : at.terms();
        classes_ = at.stride == 1 ? 2 * at.runs - 1 : 1;
        row_ = packed_columns<Scalar>(at.terms());
        sums_ = classes_ * (left_ + 1) * row_;  // of products, and of elements
        images_ = 0;
        patches_size_ = rows_together() * at.columns * row_ + at.terms() + lanes<Scalar> + 3 * short_run;
        image_size_ = at.height * at.pitch + lanes<Scalar> + 3 * short_run;
        members_ = scratch(memory_, members * (patches_size_ + image_size_) + (1 + slots) * sums_ + at.pitch);
        total_ = members_ + members * (patches_size_ + image_size_);
        of_images_ = total_ + sums_;
        centre_ = of_images_ + slots * sums_;
        std::fill_n(total_, sums_, Scalar(0));
        find_centre(x, pixels);
    }

    /// Sums over an image with padding, which `add` then takes from the slot.
    void sum_image(const Scalar* padded, integer member, integer slot) const {
        Scalar *const patches = members_ + member * (patches_size_ + image_size_), *const image = patches + patches_size_;
        Scalar* const sums = of_images_ + slot * sums_;
        for (integer i = 0; i < at_.height; ++i)
            for (integer k = 0; k < at_.pitch; ++k) image[i * at_.pitch + k] = padded[i * at_.pitch + k] - centre_[k];
        std::fill_n(sums, sums_, Scalar(0));
        const integer last = at_.stride == 1 ? at_.rows + at_.runs - 1 : at_.rows;
        for (integer a = 0; a < last;) {
            integer end = a + 1;
            while (end < last && end - a < rows_together() && class_of(end) == class_of(a)) ++end;
            const integer count = (end - a) * at_.columns;
            for (integer i = a; i < end; ++i) gather(patches + (i - a) * at_.columns * row_, image, i * at_.stride);
            Scalar* const products = sums + class_of(a) * (left_ + 1) * row_;
            const product_positions positions{1, 1, count, 0, 0, row_, 0, 0, row_};
            correlate_matrix(
                products, row_, static_cast<const Scalar*>(patches), static_cast<const Scalar*>(patches), positions, left_, row_,
                [](integer k) { return k; }, true);
            for (integer k = 0; k < left_; k += lanes<Scalar>) {
                auto sum = load(products + left_ * row_ + k);
                for (integer j = 0; j < count; ++j) sum = Eigen::internal::padd(sum, load(patches + j * row_ + k));
                store(products + left_ * row_ + k, sum);
            }
            a = end;
        }
    }
    void add(integer slot) {
        for (integer k = 0; k < sums_; ++k) total_[k] += of_images_[slot * sums_ + k];
        ++images_;
    }

    void end(Scalar* mean, Scalar* covariance) {
        const integer terms = at_.terms();
        const Scalar share = Scalar(1) / Scalar(images_ * at_.rows * at_.columns);
        // Until the end the mean is that of centred elements.
        for (integer k = 0; k < terms; ++k) {
            const integer u = first_run(k);
            mean[k] = sum_of_classes(u, left_ * row_ + k - u * at_.length) * share;
        }
        for (integer k = 0; k < terms; ++k)
            for (integer l = 0; l < terms; ++l) {
                const integer u = first_run(k), shift = u * at_.length;
                // Of two runs the upper one is on the left.
                covariance[k * terms + l] =
                    l < shift ? covariance[l * terms + k] : sum_of_classes(u, (k - shift) * row_ + l - shift) * share - mean[k] * mean[l];
            }
        for (integer k = 0; k < terms; ++k) mean[k] += centre_[k % at_.channels];
    }

private:
    integer first_run(integer term) const { return at_.stride == 1 ? term / at_.length : 0; }

    /// The first and the last rows have classes of their own; in the middle all rows are in one, that of row runs − 1.
    integer class_of(integer a) const {
        if (at_.stride != 1) return 0;
        if (a < at_.runs - 1) return a;
        return a < at_.rows ? at_.runs - 1 : at_.runs + a - at_.rows;
    }
    /// Σ over the image rows a that are run u of a patch.
    Scalar sum_of_classes(integer u, integer element) const {
        Scalar sum(0);
        for (integer c = 0; c < classes_; ++c) {
            const integer a = c < at_.runs ? c : at_.rows + c - at_.runs;
            const bool in_the_middle = c == at_.runs - 1;
            if (classes_ == 1 || in_the_middle || (u <= a && a < u + at_.rows)) sum += total_[c * (left_ + 1) * row_ + element];
        }
        return sum;
    }

    /// The patches whose first run is in row a, side by side; of those that reach over the last row, the last row in the place of what is not there,
    /// whose products nobody reads. Whole vectors are copied: what is too much is overwritten by the next run, or by the next patch.
    void gather(Scalar* to, const Scalar* image, integer a) const {
        if (at_.runs == 3 && at_.length <= short_run) {
            gather_three<short_run>(to, image, a);
        } else if (at_.runs == 3 && at_.length <= 3 * short_run) {
            gather_three<3 * short_run>(to, image, a);
        } else {
            for (integer j = 0; j < at_.columns; ++j)
                for (integer u = 0; u < at_.runs; ++u) {
                    const Scalar* const from = row(image, a + u) + j * at_.column_pitch;
                    for (integer k = 0; k < at_.length; k += lanes<Scalar>) store(to + j * row_ + u * at_.length + k, load(from + k));
                }
        }
    }
    template <integer Width> void gather_three(Scalar* to, const Scalar* image, integer a) const {
        const Scalar *first = row(image, a), *second = row(image, a + 1), *third = row(image, a + 2);
        for (integer j = 0; j < at_.columns; ++j, to += row_) {
            std::memcpy(to, first, sizeof(Scalar[Width]));
            std::memcpy(to + at_.length, second, sizeof(Scalar[Width]));
            std::memcpy(to + 2 * at_.length, third, sizeof(Scalar[Width]));
            first += at_.column_pitch;
            second += at_.column_pitch;
            third += at_.column_pitch;
        }
    }
    const Scalar* row(const Scalar* image, integer a) const { return image + std::min(a, at_.height - 1) * at_.pitch; }

    // So many that a register tile is worth its beginning and its end.
    integer rows_together() const { return std::max(128 / at_.columns, integer{1}); }
    static constexpr integer short_run = 4;  // three pixels of one channel; thrice as much, of three

    /// The mean of each channel, along a row of an image.
    void find_centre(const Scalar* x, integer pixels) {
        constexpr integer together = 16;  // pixels, so that few channels fill a vector too
        const integer channels = at_.channels, blocks = pixels / together;
        Scalar* const sums = centre_;
        std::fill_n(sums, channels, Scalar(0));
        by_channel::sum(
            blocks, together * channels, [=](integer i, integer) { return x[i]; },
            [=](integer q, Scalar sum) { sums[q % channels] += sum; });
        for (integer i = blocks * together * channels; i < pixels * channels; ++i) sums[i % channels] += x[i];
        for (integer q = 0; q < channels; ++q) sums[q] /= Scalar(pixels);
        for (integer k = channels; k < at_.pitch; ++k) centre_[k] = centre_[k - channels];
    }

    patch_positions at_{};
    aligned_vector<Scalar> memory_;
    Scalar *members_ = nullptr, *total_ = nullptr, *of_images_ = nullptr, *centre_ = nullptr;
    integer left_ = 0, classes_ = 0, row_ = 0, sums_ = 0, images_ = 0, patches_size_ = 0, image_size_ = 0;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
