// expect: bilevel: shapes do not fit
// expect: shape<28, 28, 16>.*shape<28, 28, 8>
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/core/shape.hpp>

using image = bilevel::shape<28, 28, 16>;
#ifdef BILEVEL_CONTROL
using met = bilevel::shape<28, 28, 16>;
#else
using met = bilevel::shape<28, 28, 8>;
#endif

static_assert(bilevel::require_shape<bilevel::expected<image>, bilevel::given<met>>::value);
