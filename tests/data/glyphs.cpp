// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/data/glyphs.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using bilevel::argument_error;
using bilevel::integer;
namespace data = bilevel::data;

namespace {

std::vector<float> image(const data::image_set<std::uint8_t>& set, integer c, integer d) {
    std::vector<float> out(static_cast<std::size_t>(set.image_size()));
    set.gather(set[c].images[static_cast<std::size_t>(d)], set[c].quarter_turns, out.data());
    return out;
}

/// Two rounds of a 3×3 mean: a distance after it forgives small shifts.
std::vector<float> blurred(std::vector<float> in, integer n) {
    for (int round = 0; round < 2; ++round) {
        std::vector<float> out(in.size());
        for (integer y = 0; y < n; ++y)
            for (integer x = 0; x < n; ++x)
                for (integer v = std::max<integer>(0, y - 1); v <= std::min(n - 1, y + 1); ++v)
                    for (integer u = std::max<integer>(0, x - 1); u <= std::min(n - 1, x + 1); ++u)
                        out[static_cast<std::size_t>(y * n + x)] += in[static_cast<std::size_t>(v * n + u)] / 9;
        in = std::move(out);
    }
    return in;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>((a[i] - b[i]) * (a[i] - b[i]));
    return sum;
}

}  // namespace

TEST_CASE("glyphs: classes, drawings and sizes are what was asked for") {
    const auto g = data::glyphs({.training_classes = 5, .validation_classes = 3, .test_classes = 2, .drawings = 4, .size = 20});
    CHECK(g.training.class_count() == 5);
    CHECK(g.validation.class_count() == 3);
    CHECK(g.test.class_count() == 2);
    CHECK(g.training.height() == 20);
    CHECK(g.training.channels() == 1);
    CHECK(g.training.image_count() == 40);
    CHECK(g.test[1].name == "glyph9");
    CHECK(g.test[1].images == std::vector<integer>{36, 37, 38, 39});
    const auto turned =
        data::glyphs({.training_classes = 5, .validation_classes = 3, .test_classes = 2, .rotations = data::rotations::classes});
    CHECK(turned.training.class_count() == 20);
    CHECK(turned.test.class_count() == 2);
}

TEST_CASE("glyphs: a drawing depends on the seed and its numbers, not on how many others there are") {
    const auto few = data::glyphs({.training_classes = 3, .validation_classes = 1, .test_classes = 1, .drawings = 2});
    const auto many = data::glyphs({.training_classes = 8, .validation_classes = 0, .test_classes = 0, .drawings = 5});
    const auto other = data::glyphs({.training_classes = 8, .validation_classes = 0, .test_classes = 0, .drawings = 5, .seed = 8});
    for (integer c = 0; c < 3; ++c)
        for (integer d = 0; d < 2; ++d) {
            CHECK(image(few.training, c, d) == image(many.training, c, d));
            CHECK_FALSE(image(few.training, c, d) == image(other.training, c, d));
        }
    CHECK(image(few.test, 0, 1) == image(many.training, 4, 1));
}

TEST_CASE("glyphs: there is ink on paper, mostly inside, and no drawing twice") {
    const auto g = data::glyphs({.training_classes = 60, .validation_classes = 0, .test_classes = 0, .drawings = 5});
    for (integer c = 0; c < 60; ++c)
        for (integer d = 0; d < 5; ++d) {
            const auto drawing = image(g.training, c, d);
            double ink = 0, edge = 0;
            for (integer y = 0; y < 28; ++y)
                for (integer x = 0; x < 28; ++x) {
                    const auto value = static_cast<double>(drawing[static_cast<std::size_t>(y * 28 + x)]);
                    ink += value;
                    if (x == 0 || y == 0 || x == 27 || y == 27) edge += value;
                }
            CHECK(ink > 0.03 * 784);  // a single stroke over half the width has 4 %
            CHECK(ink < 0.5 * 784);
            CHECK(edge < 0.1 * ink);
            CHECK(*std::max_element(drawing.begin(), drawing.end()) == 1);
            CHECK(std::count(drawing.begin(), drawing.end(), 0.0f) > 392);
            if (d > 0) CHECK_FALSE(drawing == image(g.training, c, d - 1));
        }
}

TEST_CASE("glyphs: the nearest drawing tells classes apart, but only somewhat") {
    // 1-shot 20-way by nearest neighbour: chance is 5 %. Were classes alike or drawings unalike it would fall to that; were drawings
    // copies, it would be 100 %. Glyphs are made to be about as hard as Omniglot, which is at 42 % by this measure.
    const integer ways = 20;
    int right = 0, asked = 0;
    const auto g = data::glyphs({.training_classes = 200, .validation_classes = 0, .test_classes = 0, .drawings = 3});
    for (integer first = 0; first < 200; first += ways) {
        std::vector<std::vector<float>> support;
        for (integer w = 0; w < ways; ++w) support.push_back(blurred(image(g.training, first + w, 0), 28));
        for (integer w = 0; w < ways; ++w)
            for (integer d = 1; d < 3; ++d, ++asked) {
                const auto query = blurred(image(g.training, first + w, d), 28);
                integer best = 0;
                for (integer v = 1; v < ways; ++v)
                    if (distance(query, support[static_cast<std::size_t>(v)]) < distance(query, support[static_cast<std::size_t>(best)]))
                        best = v;
                right += best == w;
            }
    }
    const double accuracy = static_cast<double>(right) / asked;
    MESSAGE("20-way 1-shot nearest neighbour: " << 100 * accuracy << " %");
    CHECK(accuracy > 0.2);
    CHECK(accuracy < 0.6);
}

TEST_CASE("glyphs: a line is drawn where it is, as wide as the pen") {
    data::detail::canvas paper(10);
    paper.add({{0.2, 0.45}, {0.8, 0.45}}, 1.5);  // from (2, 4.5) to (8, 4.5), along the middle of row 4
    std::array<std::uint8_t, 100> out{};
    paper.paint(1.0, out.data());
    CHECK(out[45] == 255);  // on the line
    CHECK(out[35] == 128);  // one pixel off: half covered
    CHECK(out[55] == 128);
    CHECK(out[25] == 0);
    CHECK(out[41] == 255);  // half a pixel before the round end
    CHECK(out[40] == 0);
    paper.clear();
    paper.add({{-3, -3}, {3, 5}}, 1.5);  // what leaves the paper is cut
    paper.paint(1.0, out.data());
    data::detail::stroke curve;
    data::detail::flatten({{0, 0}, {1, 0}, {2, 0}}, 4, curve);
    REQUIRE(curve.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(curve[i].x == doctest::Approx(0.25 * static_cast<double>(i)));
        CHECK(curve[i].y == 0);
    }
}

TEST_CASE("glyphs: settings that make no glyphs are refused") {
    CHECK_THROWS_AS((void)data::glyphs({.training_classes = -1}), argument_error);
    CHECK_THROWS_AS((void)data::glyphs({.drawings = 0}), argument_error);
    CHECK_THROWS_AS((void)data::glyphs({.size = 0}), argument_error);
    constexpr integer many = integer{1} << 32, most = std::numeric_limits<integer>::max();
    CHECK_THROWS_AS((void)data::glyphs({.training_classes = many, .drawings = many}), argument_error);
    CHECK_THROWS_AS((void)data::glyphs({.training_classes = most, .validation_classes = most, .test_classes = 2}), argument_error);
}
