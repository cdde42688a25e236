// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/copied_values.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/memory.hpp>
#include <bilevel/core/workspace.hpp>
#include <bilevel/data/detail/batch_numbers.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/data/pixel_conversion.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace bilevel::data {

namespace detail {

/// One number of the images that an episode consists of: `chosen` has for each of them its number in the set, times four, plus its quarter turns.
template <class Scalar, class Pixel> struct gathered_pixel {
    Scalar* to;
    const Pixel* pixels;
    const int* chosen;
    integer height, width, channels;
    Scalar scale, offset;

    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        const integer size = height * width * channels, image = i / size, within = i % size;
        const int number = chosen[image] / 4, turns = chosen[image] % 4;
        const integer pixel = within / channels;
        const integer source = turns == 0 ? pixel : turned_image(width, turns).source(pixel / width, pixel % width);
        to[i] = scale * static_cast<Scalar>(pixels[number * size + source * channels + within % channels]) + offset;
    }
};

}  // namespace detail

/// The episodes of a sampler, gathered by the kernels of a backend from a set that lies in their memory: to a device go the numbers of the images, not the
/// images. The images of the batches are the sampler's (bit for bit, but for an offset of the conversion, which may be added without rounding before)
/// in the memory of the kernels, the labels in the host's; a batch lives until the next call. For sets that fit: (images, height, width, channels) pixels as they are stored.
/// `Kernels` are those of worker 0 of any backend; they and what they run on outlive the episodes.
template <class Kernels, class Pixel = std::uint8_t> class resident_episodes {
public:
    using scalar = typename Kernels::scalar;
    using sampler_type = episode_sampler<scalar, Pixel>;

    /// Copies the set. Throws `argument_error` where it has too many images to be numbered.
    resident_episodes(Kernels& kernels, sampler_type sampler) : kernels_(&kernels), sampler_(std::move(sampler)) {
        const auto& set = sampler_.set();
        if (set.image_count() >= integer{1} << 29)
            throw argument_error("resident_episodes: expected fewer than 2^29 images, found " + std::to_string(set.image_count()));
        const integer count = set.image_count() * set.image_size();
        set_ = workspace(static_cast<std::size_t>(count) * sizeof(Pixel) + memory::alignment, kernels.array_memory());
        Pixel* const to = set_.take<Pixel>(count);
        pixels_ = to;
        for (integer first = 0; first < count; first += pixels_at_once) {
            const integer here = std::min(pixels_at_once, count - first);
            kernels_->for_each_index(here, bilevel::detail::copied_values<Pixel>{
                                               to + first, kernels_->upload(slot_of_choice, set.images().data() + first, here)});
        }
        kernels_->wait();
    }

    const sampler_type& sampler() const { return sampler_; }

    /// See `episode_sampler::batch`.
    episodes_view<scalar, int> batch(integer i, integer tasks) {
        const integer first = detail::first_of_batch(i, tasks);
        const auto& s = sampler_.settings();
        support_images_.clear();
        query_images_.clear();
        support_labels_.clear();
        query_labels_.clear();
        classes_.resize(static_cast<std::size_t>(tasks * s.ways));
        for (integer t = 0; t < tasks; ++t)
            sampler_.draw(first + t, classes_.data() + t * s.ways, [&](bool is_support, int label, integer image, int turns) {
                (is_support ? support_images_ : query_images_).push_back(static_cast<int>(4 * image + turns));
                (is_support ? support_labels_ : query_labels_).push_back(label);
            });
        workspace needed;  // which counts
        take(needed, support_images_);
        take(needed, query_images_);
        if (needed.used() > images_.capacity()) images_ = workspace(needed.used(), kernels_->array_memory());
        images_.rewind();
        const scalar* const support = gather(take(images_, support_images_), support_images_, slot_of_choice);
        const scalar* const query = gather(take(images_, query_images_), query_images_, slot_of_choice + 1);
        return {tasks,
                s.ways,
                {s.ways * s.shots, support, support_labels_.data(), sampler_.set().image_size()},
                {s.ways * s.queries, query, query_labels_.data(), sampler_.set().image_size()},
                classes_.data()};
    }

private:
    // Beyond those of a solver (`upload_slot`).
    static constexpr integer slot_of_choice = 8;
    static constexpr integer pixels_at_once = integer{1} << 22;

    scalar* take(workspace& from, const aligned_vector<int>& images) const {
        return from.template take<scalar>(static_cast<integer>(images.size()) * sampler_.set().image_size());
    }
    const scalar* gather(scalar* to, const aligned_vector<int>& images, integer slot) {
        const auto& set = sampler_.set();
        const auto count = static_cast<integer>(images.size());
        if (count > 0)
            kernels_->for_each_index(count * set.image_size(), detail::gathered_pixel<scalar, Pixel>{
                                                                   to, pixels_, kernels_->upload(slot, images.data(), count), set.height(),
                                                                   set.width(), set.channels(), static_cast<scalar>(set.conversion().scale),
                                                                   static_cast<scalar>(set.conversion().offset)});
        return to;
    }

    Kernels* kernels_;
    sampler_type sampler_;
    workspace set_, images_;  // of the kernels: the whole set, and the images of a batch
    const Pixel* pixels_ = nullptr;
    aligned_vector<int> support_images_, query_images_, support_labels_, query_labels_, classes_;
};

}  // namespace bilevel::data
