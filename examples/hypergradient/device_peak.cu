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

// Multiply-adds that a multiprocessor finishes in a cycle: the table "Throughput of Native Arithmetic Instructions" of CUDA's programming guide.
struct lanes {
    int in_float, in_double;
};
lanes lanes_of(int major, int minor) {
    switch (10 * major + minor) {
        case 60:
        case 70:
        case 72:
        case 80:
            return {64, 32};
        case 75:
            return {64, 2};
        case 90:
        case 100:
            return {128, 64};
        case 50:
        case 52:
        case 53:
        case 61:
        case 62:
            return {128, 4};
        default:
            return {128, 2};  // 8.6, 8.7, 8.9, 10.3, 12.0
    }
}
}  // namespace

double device_peak_flops(bool in_float) {
    int device = 0;
    bilevel::backend::detail::check(cudaGetDevice(&device), "cudaGetDevice");
    const lanes of = lanes_of(attribute(cudaDevAttrComputeCapabilityMajor, device), attribute(cudaDevAttrComputeCapabilityMinor, device));
    return 2.0 * (in_float ? of.in_float : of.in_double) * attribute(cudaDevAttrMultiProcessorCount, device) *
           attribute(cudaDevAttrClockRate, device) * 1e3;
}

}  // namespace exchange
