// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What names.cmake reads after the preprocessor: the name that BILEVEL_INSTRUCTION_SET stands for with the flags at hand.
#include <bilevel/backend/instruction_set.hpp>
name_of_this_unit = BILEVEL_INSTRUCTION_SET;
