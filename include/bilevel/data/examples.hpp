// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/data/pixel_conversion.hpp>
#include <bilevel/data/xtensor.hpp>

#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <type_traits>
#include <vector>

namespace bilevel::data {

/// A user's own images with local labels, converted and held for one or more tasks; what a trained network is adapted to and asked about.
/// Its view lives as long as it does.
template <class Scalar = float> class image_examples {
public:
    /// One task. Labels are any contiguous whole numbers 0 … ways−1 with `data()` and `size()`; none at all for images to predict.
    /// Throws `data_error` where the counts differ, a label is out of range or a pixel is not finite, or not in Scalar; `argument_error` where the
    /// conversion is not finite.
    template <class Pixel, class Labels>
    image_examples(const xt::xtensor<Pixel, 4>& images,  // (examples, height, width, channels)
                   const Labels& labels,  // (examples) or empty
                   integer ways, pixel_conversion conversion = default_conversion<Pixel>()) {
        take_images(images, 1, ways, conversion);
        take_labels(labels);
    }

    /// Several tasks with as many examples each. Throws as above.
    template <class Pixel, class Labels>
    image_examples(const xt::xtensor<Pixel, 5>& images,  // (tasks, examples, height, width, channels)
                   const Labels& labels,  // (tasks, examples) or empty
                   integer ways, pixel_conversion conversion = default_conversion<Pixel>()) {
        take_images(images, static_cast<integer>(images.shape()[0]), ways, conversion);
        take_labels(labels);
    }

    integer tasks() const { return tasks_; }
    integer ways() const { return ways_; }
    examples_view<Scalar, int> view() const {
        return {count_, inputs_.data(), labels_.empty() ? nullptr : labels_.data(), image_[0] * image_[1] * image_[2], image_};
    }
    operator examples_view<Scalar, int>() const { return view(); }

private:
    template <class Pixel, std::size_t Rank>
    void take_images(const xt::xtensor<Pixel, Rank>& images, integer tasks, integer ways, pixel_conversion conversion) {
        if (ways < 1) throw argument_error("ways: expected at least 1, found " + std::to_string(ways));
        integer extents[4];
        for (std::size_t i = 0; i < 4; ++i) extents[i] = static_cast<integer>(images.shape()[Rank - 4 + i]);
        tasks_ = tasks;
        ways_ = ways;
        count_ = extents[0];
        image_ = {extents[1], extents[2], extents[3]};
        detail::require_finite(conversion);
        detail::require_finite(images.data(), tasks * count_, extents[1], extents[2], extents[3]);
        inputs_.resize(images.size());
        detail::convert(images.data(), static_cast<integer>(images.size()), conversion, inputs_.data());
        detail::require_finite(inputs_.data(), tasks * count_, extents[1], extents[2], extents[3]);  // 1e300 is none in float
    }

    template <class Labels> void take_labels(const Labels& labels) {
        static_assert(std::is_integral_v<std::remove_cvref_t<decltype(*std::data(labels))>>,
                      "bilevel: the labels of data::image_examples are whole numbers, 0 to ways - 1");
        const std::size_t count = std::size(labels), expected = static_cast<std::size_t>(tasks_ * count_);
        if (count == 0) return;
        if (count != expected)
            throw data_error("expected one label an image, found " + std::to_string(expected) + " images and " + std::to_string(count) +
                             " labels");
        for (std::size_t i = 0; i < count; ++i) {
            const auto label = static_cast<integer>(std::data(labels)[i]);
            if (label < 0 || label >= ways_)
                throw data_error("image " + std::to_string(i) + ": expected a label of 0 to " + std::to_string(ways_ - 1) + ", found " +
                                 std::to_string(label));
            labels_.push_back(static_cast<int>(label));
        }
    }

    integer tasks_ = 0, ways_ = 0, count_ = 0;
    std::array<integer, 3> image_{};
    aligned_vector<Scalar> inputs_;
    std::vector<int> labels_;
};

/// The episodes of a support and a query set. Throws `argument_error` where they differ in tasks or ways. Lives as long as both do.
template <class Scalar> episodes_view<Scalar, int> episodes_of(const image_examples<Scalar>& support, const image_examples<Scalar>& query) {
    if (support.tasks() != query.tasks() || support.ways() != query.ways())
        throw argument_error("support has " + std::to_string(support.tasks()) + " tasks of " + std::to_string(support.ways()) +
                             " ways, query " + std::to_string(query.tasks()) + " of " + std::to_string(query.ways()));
    return {support.tasks(), support.ways(), support.view(), query.view(), nullptr};
}
/// The episodes of a support set alone, which `solver.adapt` takes. Lives as long as the set does.
template <class Scalar> episodes_view<Scalar, int> episodes_of(const image_examples<Scalar>& support) {
    return {support.tasks(), support.ways(), support.view(), {}, nullptr};
}

}  // namespace bilevel::data
