// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/copied_values.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/host_device.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/repeatable.hpp>
#include <bilevel/core/workspace.hpp>
#include <bilevel/data/detail/batch_numbers.hpp>
#include <bilevel/data/detail/class_lists.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/data/pixel_conversion.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

namespace bilevel::data {

namespace detail {

/// One number of the images that episodes consist of, of those that are begin-th to (begin + count − 1)-th of their class in their episode.
template <class Scalar, class Pixel> struct gathered_pixel {
    Scalar* to;
    const Pixel* pixels;
    const integer* images;  // (classes of all episodes, of_class) turned numbers
    integer of_class, begin, count;
    integer height, width, channels;
    Scalar scale, offset;

    BILEVEL_HOST_DEVICE void operator()(integer i) const {
        const integer size = height * width * channels, example = i / size, within = i % size;
        const auto image = turned_number::from(images[example / count * of_class + begin + example % count]);
        const integer pixel = within / channels;
        const integer source =
            image.quarter_turns == 0 ? pixel : turned_image(width, image.quarter_turns).source(pixel / width, pixel % width);
        to[i] = scale * static_cast<Scalar>(pixels[image.image * size + source * channels + within % channels]) + offset;
    }
};

}  // namespace detail

/// The episodes of a sampler, drawn and gathered by the kernels of a backend from a set that lies in their memory: all that goes to a device is the number of the
/// first episode, and what the solver looks at on the host: the labels and the global ids of the classes, which are drawn there too. The kernels of a batch are
/// repeated as a sequence (`repeat`: a CUDA graph). The images are the sampler's (bit for bit, but for an offset of the conversion, which may be added without
/// rounding before) in the memory of the kernels; a batch lives until the next call. For sets that fit: (images, height, width, channels) pixels as they are
/// stored. `Kernels` are those of worker 0 of any backend; they and what they run on outlive the episodes.
template <class Kernels, class Pixel = std::uint8_t> class resident_episodes {
public:
    using scalar = typename Kernels::scalar;
    using sampler_type = episode_sampler<scalar, Pixel>;

    /// Copies the set.
    resident_episodes(Kernels& kernels, sampler_type sampler) : kernels_(&kernels), sampler_(std::move(sampler)) {
        const detail::set_of_lists& lists = sampler_.lists();
        const auto pixels = std::span(sampler_.set().images().data(), sampler_.set().images().size());
        workspace counted;
        (void)take<Pixel>(counted, pixels);
        (void)take<integer>(counted, lists.first);
        (void)take<integer>(counted, lists.images);
        set_ = workspace(counted.used(), kernels.array_memory());
        pixels_ = copied<Pixel>(pixels);
        const integer* const first = copied<integer>(lists.first);
        lists_ = lists.view(first, copied<integer>(lists.images));
        kernels_->wait();
    }

    const sampler_type& sampler() const { return sampler_; }

    /// See `episode_sampler::batch`.
    episodes_view<scalar, int> batch(integer i, integer tasks) {
        const integer first = detail::first_of_batch(i, tasks);
        const auto& s = sampler_.settings();
        if (tasks != tasks_) take_memory(tasks);
        const auto on_the_host = sampler_.drawn(lists_, &first, labels_.classes.data(), nullptr);
        for (integer t = 0; t < tasks; ++t) (void)on_the_host.draw_classes(t);

        const integer* const now = kernels_->upload(slot_of_episode, &first, 1);
        repeatable these;
        these.add(memory_);
        these.add(now);
        kernels_->repeat(these, [&] {
            const auto draw = sampler_.drawn(lists_, now, batch_.classes, batch_.images);
            kernels_->for_each_index(tasks, draw);
            gather(batch_.support, 0, s.shots);
            gather(batch_.query, s.shots, s.queries);
        });
        const auto& set = sampler_.set();
        return {tasks,
                s.ways,
                {s.ways * s.shots, batch_.support, labels_.support.data(), set.image_size(), set.image_extents()},
                {s.ways * s.queries, batch_.query, labels_.query.data(), set.image_size(), set.image_extents()},
                labels_.classes.data()};
    }

private:
    // Beyond those of a solver (`upload_slot`).
    static constexpr integer slot_of_set = 8, slot_of_episode = 9;
    static constexpr integer elements_at_once = integer{1} << 22;

    template <class T, class Range> static T* take(workspace& from, const Range& values) {
        return from.take<T>(static_cast<integer>(std::size(values)));
    }
    template <class T, class Range> const T* copied(const Range& values) {
        const auto count = static_cast<integer>(std::size(values));
        T* const to = take<T>(set_, values);
        for (integer first = 0; first < count; first += elements_at_once) {
            const integer here = std::min(elements_at_once, count - first);
            kernels_->for_each_index(
                here, bilevel::detail::copied_values<T>{to + first, kernels_->upload(slot_of_set, std::data(values) + first, here)});
        }
        return to;
    }

    void take_memory(integer tasks) {
        const auto& s = sampler_.settings();
        tasks_ = 0;  // until all of it is there
        workspace counted;
        (void)arrays(counted, *this, tasks);
        of_batch_ = workspace(counted.used(), kernels_->array_memory());
        batch_ = arrays(of_batch_, *this, tasks);
        labels_.classes.resize(static_cast<std::size_t>(tasks * s.ways));
        const auto label = [&](aligned_vector<int>& labels, integer of_class) {
            labels.resize(static_cast<std::size_t>(tasks * s.ways * of_class));
            for (std::size_t k = 0; k < labels.size(); ++k) labels[k] = static_cast<int>(static_cast<integer>(k) / of_class % s.ways);
        };
        label(labels_.support, s.shots);
        label(labels_.query, s.queries);
        memory_ = repeatable::unused_number();
        tasks_ = tasks;
    }

    void gather(scalar* to, integer begin, integer count) {
        const auto& set = sampler_.set();
        const auto& s = sampler_.settings();
        if (count == 0) return;
        kernels_->for_each_index(
            tasks_ * s.ways * count * set.image_size(),
            detail::gathered_pixel<scalar, Pixel>{to, pixels_, batch_.images, s.shots + s.queries, begin, count, set.height(), set.width(),
                                                  set.channels(), static_cast<scalar>(set.conversion().scale),
                                                  static_cast<scalar>(set.conversion().offset)});
    }

    Kernels* kernels_;
    sampler_type sampler_;
    workspace set_, of_batch_;  // of the kernels
    const Pixel* pixels_ = nullptr;
    detail::class_lists lists_;
    struct arrays {
        int* classes = nullptr;
        integer* images = nullptr;
        scalar *support = nullptr, *query = nullptr;

        arrays() = default;
        arrays(workspace& from, const resident_episodes& of, integer tasks) {
            const auto& s = of.sampler_.settings();
            const integer ways = tasks * s.ways, size = of.sampler_.set().image_size();
            classes = from.take<int>(ways);
            images = from.take<integer>(ways * (s.shots + s.queries));
            support = from.take<scalar>(ways * s.shots * size);
            query = from.take<scalar>(ways * s.queries * size);
        }
    } batch_;
    struct {
        aligned_vector<int> support, query, classes;
    } labels_;  // of the host
    integer tasks_ = 0, memory_ = 0;
};

}  // namespace bilevel::data
