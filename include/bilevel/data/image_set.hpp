// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/data/pixel_conversion.hpp>
#include <bilevel/data/xtensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel::data {

/// One class of a data set: its name and which images it has, turned by a multiple of 90° when they are read.
struct image_class {
    std::string name;
    std::vector<integer> images{};
    int quarter_turns = 0;  // counter-clockwise
};

/// Images in classes. The pixels are shared between sets and never copied: splits and rotations are only lists of indices.
/// Pixel is `std::uint8_t`, `float` or `double`; `gather` converts it. Copies are cheap, and a set never changes.
template <class Pixel = std::uint8_t> class image_set {
public:
    static_assert(std::is_same_v<Pixel, std::uint8_t> || std::is_floating_point_v<Pixel>,
                  "bilevel: pixels are std::uint8_t, float or double");
    using pixel = Pixel;
    using array = xt::xtensor<Pixel, 4>;  // (images, height, width, channels)

    image_set() : image_set(std::make_shared<const array>(), {}) {}

    /// Throws `data_error` where a pixel is not finite, a class is empty, names an image that does not exist, or is turned by other than 0 to 3 quarters, or at
    /// all where images are not square; `argument_error` where the conversion is not finite.
    image_set(std::shared_ptr<const array> images, std::vector<image_class> classes,
              pixel_conversion conversion = default_conversion<Pixel>())
        : images_(std::move(images)), classes_(std::move(classes)), conversion_(conversion) {
        detail::require_finite(conversion_);
        detail::require_finite(images_->data(), image_count(), height(), width(), channels());
        for (const image_class& c : classes_) {
            if (c.images.empty()) throw data_error("class " + c.name + ": expected at least one image");
            if (c.quarter_turns < 0 || c.quarter_turns > 3 || (c.quarter_turns != 0 && height() != width()))
                throw data_error("class " + c.name + ": turned by " + std::to_string(c.quarter_turns) +
                                 " quarters; expected 0 to 3, and 0 for images of " + std::to_string(height()) + "x" +
                                 std::to_string(width()) + " unless they are square");
            for (const integer i : c.images)
                if (i < 0 || i >= image_count())
                    throw data_error("class " + c.name + ": image " + std::to_string(i) + " of " + std::to_string(image_count()));
        }
    }

    integer image_count() const { return static_cast<integer>(images_->shape()[0]); }
    integer height() const { return static_cast<integer>(images_->shape()[1]); }
    integer width() const { return static_cast<integer>(images_->shape()[2]); }
    integer channels() const { return static_cast<integer>(images_->shape()[3]); }
    /// Numbers of one image: height · width · channels.
    integer image_size() const { return height() * width() * channels(); }
    std::array<integer, 3> image_extents() const { return {height(), width(), channels()}; }
    const array& images() const { return *images_; }
    const pixel_conversion& conversion() const { return conversion_; }

    integer class_count() const { return static_cast<integer>(classes_.size()); }
    const image_class& operator[](integer c) const { return classes_[static_cast<std::size_t>(c)]; }
    /// Whether an episode turns each of its classes by a random multiple of 90°.
    bool turns_in_episodes() const { return turns_in_episodes_; }

    /// The same pixels in other classes. Throws as the constructor does.
    image_set with_classes(std::vector<image_class> classes) const {
        image_set result(images_, std::move(classes), conversion_);
        result.turns_in_episodes_ = turns_in_episodes_;
        return result;
    }

    /// Four times the classes: class c turned by k quarter turns is class k · class_count() + c. Throws `argument_error` unless images are
    /// square.
    image_set with_rotated_classes() const {
        require_square();
        image_set result = *this;
        for (int turns = 1; turns < 4; ++turns)
            for (image_class c : classes_) {
                c.quarter_turns = (c.quarter_turns + turns) % 4;
                c.name += "/rot" + std::to_string(90 * turns);
                result.classes_.push_back(std::move(c));
            }
        return result;
    }

    /// The same classes, each turned by a random multiple of 90° in each episode. Throws `argument_error` unless images are square.
    image_set with_turns_in_episodes() const {
        require_square();
        image_set result = *this;
        result.turns_in_episodes_ = true;
        return result;
    }

    /// Writes image number `image`, turned counter-clockwise by so many quarters (0 or more, and none unless images are square) and converted, to `out`.
    // (height, width, channels)
    template <class Scalar> void gather(integer image, int quarter_turns, Scalar* out) const {
        const integer n = height(), c = channels();
        const Pixel* in = images_->data() + image * image_size();
        if (quarter_turns % 4 == 0) return detail::convert(in, image_size(), conversion_, out);
        const detail::turned_image turned(n, quarter_turns % 4);
        for (integer y = 0; y < n; ++y)
            for (integer x = 0; x < n; ++x, out += c) detail::convert(in + turned.source(y, x) * c, c, conversion_, out);
    }

private:
    void require_square() const {
        if (height() != width())
            throw argument_error("rotations by 90° need square images; these are " + std::to_string(height()) + "x" +
                                 std::to_string(width()));
    }

    std::shared_ptr<const array> images_;
    std::vector<image_class> classes_;
    pixel_conversion conversion_;
    bool turns_in_episodes_ = false;
};

/// Training, validation and test classes over the same pixels.
template <class Pixel = std::uint8_t> struct image_splits {
    image_set<Pixel> training, validation, test;
};

/// A set of a user's own images, with one label an image: any contiguous whole numbers with `data()` and `size()`. The classes are the
/// labels that occur, in ascending order, and are called names[label] where there are names. Throws `data_error` where the counts differ, a
/// pixel is not finite or a label has no name. Numbers that lie elsewhere are made an xtensor first:
///     xt::xtensor<float, 4> images = xt::adapt(vector, std::array<std::size_t, 4>{n, height, width, channels});    // <xtensor/xadapt.hpp>
template <class Pixel, class Labels>
image_set<Pixel> image_set_from(xt::xtensor<Pixel, 4> images,  // (images, height, width, channels)
                                const Labels& labels,  // (images)
                                const std::vector<std::string>& names = {}, pixel_conversion conversion = default_conversion<Pixel>()) {
    static_assert(std::is_integral_v<std::remove_cvref_t<decltype(*std::data(labels))>>,
                  "bilevel: the labels of data::image_set_from are whole numbers");
    const std::size_t count = std::size(labels);
    if (images.shape()[0] != count)
        throw data_error("expected one label an image, found " + std::to_string(images.shape()[0]) + " images and " +
                         std::to_string(count) + " labels");
    std::map<integer, image_class> classes;
    for (std::size_t i = 0; i < count; ++i) {
        const auto label = static_cast<integer>(std::data(labels)[i]);
        if (!names.empty() && (label < 0 || label >= static_cast<integer>(names.size())))
            throw data_error("image " + std::to_string(i) + ": label " + std::to_string(label) + " has no name; there are " +
                             std::to_string(names.size()) + " names");
        classes[label].images.push_back(static_cast<integer>(i));
    }
    std::vector<image_class> list;
    for (auto& [label, c] : classes) {
        c.name = names.empty() ? std::to_string(label) : names[static_cast<std::size_t>(label)];
        list.push_back(std::move(c));
    }
    return {std::make_shared<const xt::xtensor<Pixel, 4>>(std::move(images)), std::move(list), conversion};
}

}  // namespace bilevel::data
