// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "temporary_folder.hpp"

#include <bilevel/io/learning_curve_svg.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <sstream>

using bilevel::io::curve_point;
using bilevel::io::learning_curve;
using bilevel::io::learning_curve_svg;

namespace {

/// Whether every element that is opened is closed, in order.
bool well_formed(const std::string& svg) {
    std::vector<std::string> open;
    for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
        const std::size_t end = svg.find('>', at);
        if (end == std::string::npos) return false;
        const std::string tag = svg.substr(at + 1, end - at - 1);
        if (tag.back() == '/') continue;
        const std::string name = tag.substr(0, tag.find(' '));
        if (name[0] != '/')
            open.push_back(name);
        else if (open.empty() || open.back() != name.substr(1))
            return false;
        else
            open.pop_back();
    }
    return open.empty();
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("learning curve: points lie where the axes say") {
    learning_curve curve{"a <b> & c", {}, {{0, 0.5, 0}, {100, 0.9, 0.05}, {200, 1, 0.02}}};
    const std::string svg = learning_curve_svg(curve);
    CHECK(well_formed(svg));
    CHECK(contains(svg, "a &lt;b> &amp; c"));
    CHECK(count(svg, "<circle") == 3);
    // The lowest accuracy 0.5 puts the axis at 0.4; the frame is 70 … 700 by 360 … 50.
    CHECK(contains(svg, "cx=\"70.0\" cy=\"308.3\""));   // 360 − 310 · 1/6
    CHECK(contains(svg, "cx=\"385.0\" cy=\"101.7\""));  // 360 − 310 · 5/6
    CHECK(contains(svg, "cx=\"700.0\" cy=\"50.0\""));
    CHECK(contains(svg, "x1=\"385.0\" y1=\"75.8\" x2=\"385.0\" y2=\"127.5\""));  // its interval: 0.95 and 0.85
    for (const char* label : {"iteration", "accuracy", ">100&#8201;%<", ">40&#8201;%<", ">200<", "confidence interval"})
        CHECK(contains(svg, label));
    CHECK_FALSE(contains(svg, "training"));
}

TEST_CASE("learning curve: what has no place is left out") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(well_formed(learning_curve_svg({})));
    const std::string svg = learning_curve_svg({"", {{1, 0.5}, {2, nan}, {3, 0.6}}, {{1, nan}, {2, 0.5, nan}}});
    CHECK(well_formed(svg));
    CHECK_FALSE(contains(svg, "nan"));
    CHECK(count(svg, "<circle") == 1);
}

TEST_CASE("learning curve: a long run stays a small file and keeps its extremes") {
    learning_curve curve;
    for (int i = 1; i <= 20000; ++i) curve.training.push_back({static_cast<double>(i), 0.8});
    curve.training[9999].accuracy = 1;
    const std::string svg = learning_curve_svg(curve);
    CHECK(svg.size() < 40000);
    CHECK(contains(svg, "385.0,50.0"));           // the one peak is still there
    CHECK(contains(svg, "mean over 501 iterations"));
    CHECK(contains(svg, "10&#8201;000"));
    const temporary_folder folder;
    bilevel::io::write_learning_curve_svg(folder / "a.svg", curve);
    CHECK(read_file(folder / "a.svg") == svg);
}

TEST_CASE("learning curve: the mean is over a symmetric window") {
    std::vector<curve_point> line;
    for (int i = 0; i < 9; ++i) line.push_back({static_cast<double>(i), 0.1 * i});
    for (const auto& p : bilevel::io::detail::smoothed(line, 4)) CHECK(p.accuracy == doctest::Approx(0.1 * p.iteration));
    const auto spike = bilevel::io::detail::smoothed({{0, 0}, {1, 0}, {2, 1}, {3, 0}, {4, 0}}, 3);
    CHECK(spike[0].accuracy == 0);
    CHECK(spike[1].accuracy == doctest::Approx(1.0 / 3));
    CHECK(spike[2].accuracy == doctest::Approx(1.0 / 3));
    CHECK(spike[4].accuracy == 0);
}
