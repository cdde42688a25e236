// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace bilevel {

/// Base of every exception that the library throws on purpose. The message says what was met, where, and what was expected.
struct error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A setting or an argument that no computation can be done with (zero ways, a step size that is not finite, shapes that differ).
struct argument_error : error {
    using error::error;
};

/// A file or a data set that is not what it should be. The message begins with the file's name, where there is one.
struct data_error : error {
    using error::error;
};

/// A number that left the finite range during the computation (a NaN in the inner loop). The state is as it was before the call.
struct numeric_error : error {
    using error::error;
};

/// A checkpoint that cannot be read or does not belong to this run. The message begins with the file's name.
struct checkpoint_error : error {
    using error::error;
};

}  // namespace bilevel
