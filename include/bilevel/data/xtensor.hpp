// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

/// xtensor moved its headers after 0.25; this is the one place that knows.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#elif __has_include(<xtensor/xtensor.hpp>)
#include <xtensor/xtensor.hpp>
#else
#error "bilevel: xtensor is missing; on Debian and Ubuntu it is the package libxtensor-dev"
#endif
