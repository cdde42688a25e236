// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <driver_types.h>

#include <functional>

namespace emulated {

/// Behind what was asked of this stream before. It begins when somebody waits for it, and not earlier: who looks too early sees what was there before.
/// While the stream records a graph it is a part of that.
void enqueue(cudaStream_t stream, std::function<void()> call);

/// Its argument, which cudaGetLastError gives next if it is an error.
cudaError_t result(cudaError_t status);

}  // namespace emulated
