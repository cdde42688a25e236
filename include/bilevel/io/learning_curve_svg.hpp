// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/io/atomic_file.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::io {

/// One measured accuracy in [0, 1], with half the width of its confidence interval where there is one.
struct curve_point {
    double iteration = 0;
    double accuracy = 0;
    double ci95 = 0;
};

/// What is drawn: both lists in the order of the iterations. Points that are not finite are left out.
struct learning_curve {
    std::string title;
    std::vector<curve_point> training;    // one a step; drawn lightly, and smoothed
    std::vector<curve_point> validation;  // with interval bars
};

namespace detail {

/// A number with so many digits after the point.
inline std::string fixed(double value, int digits) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr;
    return {text, end};
}

/// A whole number with thin spaces between thousands.
inline std::string grouped(double value) {
    std::string text = fixed(value, 0);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), "&#8201;");
    return text;
}

/// The step 1, 2 or 5 times a power of ten that divides `range` into at most `most` parts.
inline double tick_step(double range, int most) {
    const double power = std::pow(10.0, std::floor(std::log10(range / most)));
    for (const double step : {1.0, 2.0, 5.0})
        if (range <= step * power * most) return step * power;
    return 10 * power;
}

inline std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else
            out += c;
    }
    return out;
}

inline std::vector<curve_point> finite(std::vector<curve_point> points) {
    std::erase_if(points, [](const curve_point& p) { return !std::isfinite(p.iteration) || !std::isfinite(p.accuracy); });
    return points;
}

/// The mean over a window of `width` points around each.
inline std::vector<curve_point> smoothed(const std::vector<curve_point>& points, std::size_t width) {
    std::vector<double> sums{0};
    for (const curve_point& p : points) sums.push_back(sums.back() + p.accuracy);
    std::vector<curve_point> result = points;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::size_t reach =
            std::min({width / 2, i, points.size() - 1 - i});  // the same on both sides, so that the ends are not pulled inwards
        result[i].accuracy = (sums[i + reach + 1] - sums[i - reach]) / static_cast<double>(2 * reach + 1);
    }
    return result;
}

/// At most about 2·`bins` points with the same outline: the lowest and the highest of each bin.
inline std::vector<curve_point> thinned(const std::vector<curve_point>& points, std::size_t bins) {
    if (points.size() <= 2 * bins) return points;
    std::vector<curve_point> result;
    for (std::size_t b = 0; b < bins; ++b) {
        const auto first = points.begin() + static_cast<std::ptrdiff_t>(b * points.size() / bins);
        const auto last = points.begin() + static_cast<std::ptrdiff_t>((b + 1) * points.size() / bins);
        auto [low, high] = std::minmax_element(first, last, [](const auto& p, const auto& q) { return p.accuracy < q.accuracy; });
        result.push_back(*std::min(low, high));
        if (low != high) result.push_back(*std::max(low, high));
    }
    return result;
}

/// The plot under construction: the frame, and where a point of the data lies on it.
struct chart {
    static constexpr double width = 720, height = 420, left = 70, right = 700, top = 50, bottom = 360;
    double last = 1, lowest = 0;  // the ranges: iterations 0 … last, accuracies lowest … 1
    std::string out{};

    double x(double iteration) const { return left + (right - left) * iteration / last; }
    double y(double accuracy) const { return bottom - (bottom - top) * (std::clamp(accuracy, lowest, 1.0) - lowest) / (1 - lowest); }
    void line(double x1, double y1, double x2, double y2, std::string_view style) {
        out += "<line x1=\"" + fixed(x1, 1) + "\" y1=\"" + fixed(y1, 1) + "\" x2=\"" + fixed(x2, 1) + "\" y2=\"" + fixed(y2, 1) + "\" " +
               std::string(style) + "/>\n";
    }
    void text(double at_x, double at_y, std::string_view style, const std::string& words) {
        out += "<text x=\"" + fixed(at_x, 1) + "\" y=\"" + fixed(at_y, 1) + "\" " + std::string(style) + ">" + words + "</text>\n";
    }
    void polyline(const std::vector<curve_point>& points, std::string_view style) {
        if (points.empty()) return;
        out += "<polyline fill=\"none\" " + std::string(style) + " points=\"";
        for (const curve_point& p : points) out += fixed(x(p.iteration), 1) + "," + fixed(y(p.accuracy), 1) + " ";
        out.back() = '"';
        out += "/>\n";
    }
    void axes() {
        const double percent = tick_step(100 * (1 - lowest), 8), step = std::max(1.0, tick_step(last, 7));
        // A last tick that rounding puts just outside still counts.
        const int percents = static_cast<int>(100 * (1 - lowest) / percent + 1e-9), steps = static_cast<int>(last / step + 1e-9);
        for (int k = 0; k <= percents; ++k) {
            const double p = 100 - k * percent;
            line(left, y(p / 100), right, y(p / 100), "stroke=\"#e4e4e4\"");
            text(left - 8, y(p / 100) + 4, "text-anchor=\"end\"", fixed(p, percent < 1 ? 1 : 0) + "&#8201;%");
        }
        for (int k = 0; k <= steps; ++k) {
            const double i = k * step;
            line(x(i), bottom, x(i), bottom + 5, "stroke=\"#444\"");
            text(x(i), bottom + 20, "text-anchor=\"middle\"", grouped(i));
        }
        line(left, bottom, right, bottom, "stroke=\"#444\"");
        line(left, top, left, bottom, "stroke=\"#444\"");
        text((left + right) / 2, bottom + 44, "text-anchor=\"middle\"", "iteration");
        text(0, 0, "text-anchor=\"middle\" transform=\"translate(20 " + fixed((top + bottom) / 2, 1) + ") rotate(-90)\"", "accuracy");
    }
};

}  // namespace detail

/// The learning curve as an SVG: training accuracy raw and smoothed, validation with its 95 % confidence intervals, axes and a legend.
inline std::string learning_curve_svg(const learning_curve& curve) {
    const auto training = detail::finite(curve.training), validation = detail::finite(curve.validation);
    const std::size_t window = std::max<std::size_t>(1, training.size() / 40);
    const auto smooth = detail::smoothed(training, window);
    detail::chart chart;
    double lowest = 1;
    for (const auto* points : {&smooth, &validation})
        for (const curve_point& p : *points) {
            chart.last = std::max(chart.last, p.iteration);
            lowest = std::min(lowest, p.accuracy);
        }
    chart.lowest = std::clamp(std::floor(lowest * 10 - 0.5) / 10, 0.0, 0.9);

    chart.out =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"420\" viewBox=\"0 0 720 420\" "
        "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<rect width=\"720\" height=\"420\" fill=\"white\"/>\n";
    chart.text(chart.left, 30, "font-size=\"15\" font-weight=\"bold\"", detail::escaped(curve.title));
    chart.axes();
    chart.polyline(detail::thinned(training, 300), "stroke=\"#1f6fb4\" stroke-opacity=\"0.22\"");
    chart.polyline(detail::thinned(smooth, 300), "stroke=\"#1f6fb4\" stroke-width=\"1.8\"");
    chart.polyline(validation, "stroke=\"#d1495b\" stroke-width=\"1.2\"");
    for (const curve_point& p : validation) {
        const double x = chart.x(p.iteration);
        if (std::isfinite(p.ci95) && p.ci95 > 0) {
            const double high = chart.y(p.accuracy + p.ci95), low = chart.y(p.accuracy - p.ci95);
            chart.line(x, high, x, low, "stroke=\"#d1495b\"");
            for (const double end : {high, low}) chart.line(x - 3, end, x + 3, end, "stroke=\"#d1495b\"");
        }
        chart.out += "<circle cx=\"" + detail::fixed(x, 1) + "\" cy=\"" + detail::fixed(chart.y(p.accuracy), 1) +
                     "\" r=\"2.6\" fill=\"#d1495b\"/>\n";
    }
    double at = chart.bottom - 14;
    const auto entry = [&](std::string_view style, const std::string& words) {
        chart.line(chart.right - 260, at - 4, chart.right - 234, at - 4, style);
        chart.text(chart.right - 226, at, "", words);
        at -= 18;
    };
    if (!validation.empty()) entry("stroke=\"#d1495b\" stroke-width=\"1.8\"", "validation, 95&#8201;% confidence interval");
    if (window > 1)
        entry("stroke=\"#1f6fb4\" stroke-width=\"1.8\"", "training, mean over " + std::to_string(window / 2 * 2 + 1) + " iterations");
    if (!training.empty())
        entry(window > 1 ? "stroke=\"#1f6fb4\" stroke-opacity=\"0.3\"" : "stroke=\"#1f6fb4\"", "training, every meta-batch");
    return chart.out + "</svg>\n";
}

/// Writes the SVG, whole or not at all. Throws `data_error` that begins with the file's name.
inline void write_learning_curve_svg(const std::filesystem::path& file, const learning_curve& curve) {
    write_atomically(file, learning_curve_svg(curve));
}

}  // namespace bilevel::io
