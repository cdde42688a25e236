// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bilevel::data::detail {

struct point {
    double x = 0, y = 0;
    friend point operator+(point a, point b) { return {a.x + b.x, a.y + b.y}; }
    friend point operator-(point a, point b) { return {a.x - b.x, a.y - b.y}; }
    friend point operator*(double s, point a) { return {s * a.x, s * a.y}; }
};

/// The points that one movement of a pen passes through, joined by a smooth curve.
using stroke = std::vector<point>;

/// The Catmull-Rom curve through the control points, as a polyline with `steps` segments between each two.
inline void flatten(const stroke& controls, int steps, stroke& polyline) {
    polyline.clear();
    const std::size_t last = controls.size() - 1;
    polyline.push_back(controls[0]);
    for (std::size_t i = 0; i < last; ++i) {
        const point b = controls[i], c = controls[i + 1];
        const point a = i > 0 ? controls[i - 1] : 2 * b - c, d = i + 1 < last ? controls[i + 2] : 2 * c - b;  // straight on at the ends
        for (int k = 1; k <= steps; ++k) {
            const double t = static_cast<double>(k) / steps;
            polyline.push_back(0.5 * (2 * b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))));
        }
    }
}

/// Draws round-ended lines on a square of size×size bytes with smooth edges.
class canvas {
public:
    explicit canvas(integer size) : size_(size), nearest_(static_cast<std::size_t>(size * size)) { clear(); }

    void clear() { std::fill(nearest_.begin(), nearest_.end(), far); }

    /// Adds a polyline in units of the canvas's side; `reach` pixels around it are kept.
    void add(const stroke& polyline, double reach) {
        const auto side = static_cast<double>(size_);
        for (std::size_t i = 0; i + 1 < polyline.size(); ++i) {
            const point a = side * polyline[i], ab = side * polyline[i + 1] - a;
            const double length2 = std::max(ab.x * ab.x + ab.y * ab.y, 1e-12);
            const integer left = pixel(std::min(a.x, a.x + ab.x) - reach), right = pixel(std::max(a.x, a.x + ab.x) + reach);
            const integer top = pixel(std::min(a.y, a.y + ab.y) - reach), bottom = pixel(std::max(a.y, a.y + ab.y) + reach);
            for (integer y = top; y <= bottom; ++y)
                for (integer x = left; x <= right; ++x) {
                    const point ap{static_cast<double>(x) + 0.5 - a.x, static_cast<double>(y) + 0.5 - a.y};
                    const double t = std::clamp((ap.x * ab.x + ap.y * ab.y) / length2, 0.0, 1.0);
                    const point off = ap - t * ab;
                    float& nearest = nearest_[static_cast<std::size_t>(y * size_ + x)];
                    nearest = std::min(nearest, static_cast<float>(off.x * off.x + off.y * off.y));
                }
        }
    }

    /// Ink within `radius` pixels of the lines, fading over one pixel: 255 is ink, 0 paper.
    void paint(double radius, std::uint8_t* out) const {
        for (std::size_t i = 0; i < nearest_.size(); ++i)
            out[i] = static_cast<std::uint8_t>(
                std::lround(255 * std::clamp(radius + 0.5 - std::sqrt(static_cast<double>(nearest_[i])), 0.0, 1.0)));
    }

private:
    static constexpr float far = 1e6f;
    integer pixel(double at) const { return std::clamp(static_cast<integer>(std::floor(at)), integer{0}, size_ - 1); }

    integer size_;
    std::vector<float> nearest_;  // squared distance of each pixel to the lines
};

}  // namespace bilevel::data::detail
