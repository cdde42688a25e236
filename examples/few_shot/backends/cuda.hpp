// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda.cuh>

namespace few_shot {
using on_cuda = bilevel::backend::cuda<float>;
}
