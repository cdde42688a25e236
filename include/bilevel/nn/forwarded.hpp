// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>

namespace bilevel::nn {

/// What a layer's `forward` gives: its output, and whatever its `backward` will want to see again.
template <class Value, class Saved> struct forwarded {
    Value value;
    Saved saved;
};
template <class Value, class Saved> forwarded(Value, Saved) -> forwarded<Value, Saved>;

}  // namespace bilevel::nn
