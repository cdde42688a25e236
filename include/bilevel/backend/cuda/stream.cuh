// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>

namespace bilevel::backend {

/// A stream of the current device, on which calls run one after another, beside those of other streams.
class cuda_stream {
public:
    cuda_stream() { detail::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"); }
    cuda_stream(const cuda_stream&) = delete;
    cuda_stream& operator=(const cuda_stream&) = delete;
    ~cuda_stream() { (void)cudaStreamDestroy(stream_); }

    operator cudaStream_t() const { return stream_; }
    void wait() const { detail::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

private:
    cudaStream_t stream_ = nullptr;
};

}  // namespace bilevel::backend
