// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <compiled_kernels/thrust_declarations.hpp>

BILEVEL_EVERY_TILE_PRODUCT()
