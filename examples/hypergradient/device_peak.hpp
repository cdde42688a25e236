// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

namespace exchange {

/// FLOP/s that the current device can do at its highest clock without tensor cores, by its data sheet: a multiply-add a lane and cycle.
double device_peak_flops(bool in_float);

}  // namespace exchange
