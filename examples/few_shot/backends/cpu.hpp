// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu.hpp>

namespace few_shot {
using on_cpu = bilevel::backend::cpu<float>;
}
