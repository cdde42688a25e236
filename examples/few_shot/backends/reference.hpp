// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/reference.hpp>

namespace few_shot {
using on_reference = bilevel::backend::reference<float>;
}
