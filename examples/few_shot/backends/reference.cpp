// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/backends/reference.hpp"
#include "few_shot/backends/machine_of.hpp"

std::unique_ptr<few_shot::machine> few_shot::make_reference(const settings&) { return std::make_unique<machine_of<on_reference>>(); }
