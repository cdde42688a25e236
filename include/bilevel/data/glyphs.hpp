// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/error.hpp>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/random.hpp>
#include <bilevel/data/detail/strokes.hpp>
#include <bilevel/data/image_set.hpp>
#include <bilevel/data/rotations.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

namespace bilevel::data {

/// How many glyphs, and which.
struct glyph_settings {
    integer training_classes = 1000;
    integer validation_classes = 100;
    integer test_classes = 100;
    integer drawings = 20;  // a class
    integer size = 28;      // pixels of a side
    data::rotations rotations = data::rotations::none;
    bool rotate_everywhere = false;  // in validation and test too; otherwise in training only
    std::uint64_t seed = 7;
};

namespace detail {

/// Where a stroke begins: on an earlier stroke as a rule, as in handwriting, or anywhere.
inline point stroke_start(const std::vector<stroke>& earlier, random::generator& draw) {
    if (!earlier.empty() && draw.uniform() < 0.65) {
        const stroke& s = earlier[static_cast<std::size_t>(draw.below(static_cast<integer>(earlier.size())))];
        return s[static_cast<std::size_t>(draw.below(static_cast<integer>(s.size())))];
    }
    return {draw.uniform(), draw.uniform()};
}

/// One random stroke: a line in one of eight directions, an arc, or a curve whose heading wanders.
inline stroke random_stroke(const std::vector<stroke>& earlier, random::generator& draw) {
    constexpr double turn = 2 * std::numbers::pi;
    const point start = stroke_start(earlier, draw);
    const auto towards = [](double angle) { return point{std::cos(angle), std::sin(angle)}; };
    const double kind = draw.uniform();
    stroke s;
    if (kind < 0.4) {
        const double angle = turn / 8 * (static_cast<double>(draw.below(8)) + draw.uniform(-0.15, 0.15)), length = draw.uniform(0.35, 0.9);
        const double before = draw.uniform() < 0.4 ? draw.uniform(0.2, 0.6) : 0;  // a stroke that crosses its starting point
        for (const double t : {-before, 0.5 - before, 1 - before}) s.push_back(start + length * t * towards(angle));
    } else if (kind < 0.7) {
        const double radius = draw.uniform(0.15, 0.4), from = draw.uniform(0, turn);
        const double sweep = draw.uniform(0.3, 0.95) * turn * (draw.below(2) == 0 ? 1 : -1);
        const point centre = start - radius * towards(from);
        for (int k = 0; k <= 6; ++k) s.push_back(centre + radius * towards(from + sweep * k / 6));
    } else {
        double heading = draw.uniform(0, turn), bend = draw.uniform(-0.25, 0.25) * turn;
        s.push_back(start);
        for (integer left = 2 + draw.below(3); left > 0; --left) {
            s.push_back(s.back() + draw.uniform(0.2, 0.45) * towards(heading));
            heading += bend + draw.uniform(-0.08, 0.08) * turn;
            if (draw.uniform() < 0.35) bend = -bend;
        }
    }
    return s;
}

/// The ratio of the variances of the control points across and along their main direction: 0 for points on a line, 1 for a round cloud.
inline double flatness(const std::vector<stroke>& strokes) {
    point sum;
    double count = 0, xx = 0, yy = 0, xy = 0;
    for (const stroke& s : strokes)
        for (const point p : s) {
            sum = sum + p;
            ++count;
        }
    for (const stroke& s : strokes)
        for (const point p : s) {
            const point d = p - (1 / count) * sum;
            xx += d.x * d.x;
            yy += d.y * d.y;
            xy += d.x * d.y;
        }
    const double root = std::hypot(xx - yy, 2 * xy);  // the difference of the two eigenvalues
    return (xx + yy - root) / (xx + yy + root);
}

/// A character: two to four strokes, moved and scaled so that they fill the middle of the unit square. What is nearly a single line is
/// drawn again: too many of those look alike.
inline std::vector<stroke> random_character(random::generator draw) {
    for (std::vector<stroke> strokes;; strokes.clear()) {
        for (integer left = 2 + draw.below(3); left > 0; --left) strokes.push_back(random_stroke(strokes, draw));
        point low = strokes[0][0], high = low;
        for (const stroke& s : strokes)
            for (const point p : s) {
                low = {std::min(low.x, p.x), std::min(low.y, p.y)};
                high = {std::max(high.x, p.x), std::max(high.y, p.y)};
            }
        if (flatness(strokes) < 0.05) continue;
        const point extent = high - low, middle = 0.5 * (low + high);
        const double scale = 0.68 / std::max(extent.x, extent.y);
        for (stroke& s : strokes)
            for (point& p : s) p = scale * (p - middle);
        return strokes;
    }
}

/// One drawing of a character by another hand: every control point and every stroke moves a little, then the whole is turned (±10°),
/// scaled, sheared and shifted, and the pen has a width of its own.
inline void draw_character(const std::vector<stroke>& character, random::generator draw, integer size, canvas& paper, std::uint8_t* out) {
    const double angle = draw.uniform(-10, 10) / 180 * std::numbers::pi, shear = draw.uniform(-0.2, 0.2);
    const double width = draw.uniform(0.7, 1.1), height = draw.uniform(0.7, 1.1), cosine = std::cos(angle), sine = std::sin(angle);
    const point shift{draw.uniform(-0.1, 0.1), draw.uniform(-0.1, 0.1)};
    const double radius = draw.uniform(0.026, 0.04) * static_cast<double>(size);
    stroke moved, polyline;
    paper.clear();
    for (const stroke& s : character) {
        const point together{draw.uniform(-0.04, 0.04), draw.uniform(-0.04, 0.04)};
        moved.clear();
        for (point p : s) {
            p = p + together + point{draw.uniform(-0.035, 0.035), draw.uniform(-0.035, 0.035)};
            p = {width * (p.x + shear * p.y), height * p.y};
            moved.push_back(shift + point{0.5 + cosine * p.x - sine * p.y, 0.5 + sine * p.x + cosine * p.y});
        }
        flatten(moved, 5, polyline);
        paper.add(polyline, radius + 0.5);
    }
    paper.paint(radius, out);
}

}  // namespace detail

/// Synthetic characters of random strokes, every drawing of a character distorted a little: a stand-in for Omniglot that needs no download.
/// Bytes with ink = 1 and paper = 0. Drawing d of character c is a pure function of (seed, size, c, d); the characters are numbered through
/// training, validation and test. Throws `argument_error` where a number is negative, or there are no drawings, no pixels, or more than
/// any memory holds.
inline image_splits<std::uint8_t> glyphs(const glyph_settings& settings = {}) {
    for (const integer count : {settings.training_classes, settings.validation_classes, settings.test_classes})
        if (count < 0) throw argument_error("glyphs: expected no negative number of classes, found " + std::to_string(count));
    if (settings.drawings < 1)
        throw argument_error("glyphs: expected at least 1 drawing a class, found " + std::to_string(settings.drawings));
    if (settings.size < 1) throw argument_error("glyphs: expected a size of at least 1 pixel, found " + std::to_string(settings.size));
    const auto real = [](integer n) { return static_cast<double>(n); };
    if (const double all = (real(settings.training_classes) + real(settings.validation_classes) + real(settings.test_classes)) *
                           real(settings.drawings) * real(settings.size) * real(settings.size);
        all > 0x1p62)
        throw argument_error("glyphs: expected as many pixels as some memory holds, found " + std::to_string(all / 0x1p40) + " * 2^40");
    const integer count = settings.training_classes + settings.validation_classes + settings.test_classes;
    const auto extent = static_cast<std::size_t>(settings.size);
    auto pixels = std::make_shared<xt::xtensor<std::uint8_t, 4>>(
        std::array<std::size_t, 4>{static_cast<std::size_t>(count * settings.drawings), extent, extent, 1});

    std::vector<image_class> classes;
    detail::canvas paper(settings.size);
    integer image = 0;
    for (integer c = 0; c < count; ++c) {
        const std::uint64_t number = static_cast<std::uint64_t>(c) << 32;  // then come the drawings
        const auto character = detail::random_character({settings.seed, random::purpose::glyphs, number});
        image_class& added = classes.emplace_back(image_class{"glyph" + std::to_string(c)});
        for (integer d = 0; d < settings.drawings; ++d) {
            detail::draw_character(character, {settings.seed, random::purpose::glyphs, number + static_cast<std::uint64_t>(d) + 1},
                                   settings.size, paper, pixels->data() + image * settings.size * settings.size);
            added.images.push_back(image++);
        }
    }

    const image_set<std::uint8_t> all(std::move(pixels), {});
    const auto part = [&](integer first, integer number) {
        return all.with_classes({classes.begin() + first, classes.begin() + first + number});
    };
    image_splits<std::uint8_t> splits{part(0, settings.training_classes), part(settings.training_classes, settings.validation_classes),
                                      part(settings.training_classes + settings.validation_classes, settings.test_classes)};
    return rotated(std::move(splits), settings.rotations, settings.rotate_everywhere);
}

}  // namespace bilevel::data
