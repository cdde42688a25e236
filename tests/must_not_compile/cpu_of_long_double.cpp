// expect: bilevel: backend::cpu takes float or double; backend::reference any scalar
// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include <bilevel/backend/cpu.hpp>

#ifdef BILEVEL_CONTROL
using scalar = double;
#else
using scalar = long double;
#endif

int main() { bilevel::backend::cpu<scalar> backend{{.threads = 2}}; }
