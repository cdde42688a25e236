// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/backends/thrust.hpp"
#include "few_shot/backends/machine_of.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

std::unique_ptr<few_shot::machine> few_shot::make_thrust([[maybe_unused]] const settings& s) {
#if defined(_OPENMP)
    omp_set_num_threads(int(s.threads));
#endif
    return std::make_unique<machine_of<on_thrust>>();
}
