// expect: bilevel: the labels of data::image_examples are whole numbers, 0 to ways - 1
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/data/examples.hpp>

#include <vector>

#ifdef BILEVEL_CONTROL
using label = long;
#else
using label = float;
#endif

bilevel::data::image_examples<float> of(const xt::xtensor<float, 4>& images, const std::vector<label>& labels) {
    return {images, labels, 5};
}
