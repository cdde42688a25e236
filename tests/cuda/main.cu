// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cuda_runtime.h>

#include <cstdio>

int main(int count, char** arguments) {
    constexpr int skipped = 77;
    int devices = 0;
    if (const cudaError_t status = cudaGetDeviceCount(&devices); status != cudaSuccess || devices == 0) {
        std::printf("skipped: there is no GPU here (%s)\n", cudaGetErrorString(status));
        return skipped;
    }
    return doctest::Context(count, arguments).run();
}
