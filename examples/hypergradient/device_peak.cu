// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "hypergradient/device_peak.hpp"

#include <bilevel/backend/cuda/check.cuh>

namespace exchange {

namespace {
int attribute(cudaDeviceAttr which, int device) {
    int value = 0;
    bilevel::backend::detail::check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
    return value;
}
}  // namespace

double device_peak_flops(bool in_float) {
    int device = 0;
    bilevel::backend::detail::check(cudaGetDevice(&device), "cudaGetDevice");
    const int major = attribute(cudaDevAttrComputeCapabilityMajor, device), minor = attribute(cudaDevAttrComputeCapabilityMinor, device);
    const bool data_center = minor == 0 && major >= 6;  // the others have few lanes for double
    const int lanes = major == 8 && minor == 0 ? 64 : 128;  // of a multiprocessor, in float
    return 2.0 * lanes *
           (in_float      ? 1.0
            : data_center ? 0.5
                          : 1.0 / 64) *
           attribute(cudaDevAttrMultiProcessorCount, device) * attribute(cudaDevAttrClockRate, device) * 1e3;
}

}  // namespace exchange
