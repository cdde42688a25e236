// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/matrix.hpp>
#include <bilevel/backend/cpu/patches.hpp>

#include <algorithm>

namespace bilevel::backend {

/// Convolution as matrix products with the patches of the images, a panel of output pixels at a time; see `convolution_kernels` in primitives.hpp. The
/// panels depend on the extents alone, so that the bits do not depend on the threads or on the other tasks.
template <class Scalar> class cpu_convolution : public cpu_matrix<Scalar> {
public:
    void conv2d(view<Scalar> y, view<const Scalar> x, view<const Scalar> w, convolution_geometry geometry, bool accumulate) {
        if (!accumulate) this->clear(y);
        const patches patch(x, y, w, geometry);
        const integer filters = y.extents[2];
        for_each_panel(y, patch, [&](integer t, integer first, integer count) {
            patch.gather(panel_.data(), x.at(t), first, count);
            this->product_.add(y.at(t) + first * filters, panel_.data(), w.at(t), count, patch.size(), filters);
        });
    }

    void conv2d_backward_data(view<Scalar> dx, view<const Scalar> dy, view<const Scalar> w, convolution_geometry geometry,
                              bool accumulate) {
        if (!accumulate) this->clear(dx);
        const patches patch(dx, dy, w, geometry);
        const integer filters = dy.extents[2];
        for_each_panel(dy, patch, [&](integer t, integer first, integer count) {
            std::fill_n(panel_.data(), count * patch.size(), Scalar(0));
            this->product_.add_by_transposed(panel_.data(), dy.at(t) + first * filters, w.at(t), count, patch.size(), filters);
            patch.scatter(dx.at(t), panel_.data(), first, count);
        });
    }

    void conv2d_backward_weights(view<Scalar> dw, view<const Scalar> x, view<const Scalar> dy, convolution_geometry geometry,
                                 bool accumulate) {
        if (!accumulate) this->clear(dw);
        const patches patch(x, dy, dw, geometry);
        const integer filters = dy.extents[2];
        for_each_panel(dy, patch, [&](integer t, integer first, integer count) {
            patch.gather(panel_.data(), x.at(t), first, count);
            this->product_.add_transposed_by(dw.at(t), panel_.data(), dy.at(t) + first * filters, count, patch.size(), filters);
        });
    }

private:
    static constexpr integer panel_bytes = integer{1} << 18;

    /// f(task, first output pixel, pixels) for panels of about the same number of pixels, of the whole batch in one sequence.
    template <class Output, class F> void for_each_panel(view<Output> y, const patches& patch, F f) {
        const integer pixels = y.batch * y.extents[0] * y.extents[1];
        if (pixels == 0) return;
        const integer row_bytes = std::max(patch.size(), y.extents[2]) * static_cast<integer>(sizeof(Scalar));
        const integer most = std::max(panel_bytes / row_bytes, integer{1});
        const integer panels = (pixels + most - 1) / most;
        const integer step = (pixels + panels - 1) / panels;
        const auto elements = static_cast<std::size_t>(step * patch.size());
        if (panel_.size() < elements) panel_.resize(elements);
        for (integer t = 0; t < y.tasks; ++t)
            for (integer first = 0; first < pixels; first += step) f(t, first, std::min(step, pixels - first));
    }

    aligned_vector<Scalar> panel_;
};

}  // namespace bilevel::backend
