// expect: bilevel: the labels of data::image_set_from are whole numbers
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/data/image_set.hpp>

#include <vector>

#ifdef BILEVEL_CONTROL
using label = long;
#else
using label = float;
#endif

bilevel::data::image_set<float> of(const xt::xtensor<float, 4>& images, const std::vector<label>& labels) {
    return bilevel::data::image_set_from(images, labels);
}
