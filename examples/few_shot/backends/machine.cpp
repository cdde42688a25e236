// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "few_shot/backends/machine.hpp"

#include <bilevel/core/error.hpp>

std::unique_ptr<few_shot::machine> few_shot::make_machine(const settings& s) {
    const std::string& name = s.backend;
    if (name == "cpu") return make_cpu(s);
#if defined(FEW_SHOT_REFERENCE)
    if (name == "reference") return make_reference(s);
#endif
#if defined(FEW_SHOT_THRUST)
    if (name == "thrust") return make_thrust(s);
#endif
#if defined(FEW_SHOT_CUDA)
    if (name == "cuda") return make_cuda(s);
#endif
    throw bilevel::argument_error("--backend: this program is not compiled for " + name +
                                  "; configure it with -DBILEVEL_FEW_SHOT_BACKENDS=" + name + (name == "cuda" ? " -DBILEVEL_CUDA=ON" : ""));
}
