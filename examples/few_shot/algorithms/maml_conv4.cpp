// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/algorithms/maml.hpp"
#include "few_shot/backends/cpu.hpp"

template std::unique_ptr<few_shot::learner> few_shot::make_maml<few_shot::pooled>(on_cpu&, const settings&);
