// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// faults NAME: a program with the fault of that name, which the emulated device must see; with `none`, one without.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>

namespace {
__global__ void write(float* to, int first) { to[first + static_cast<int>(threadIdx.x)] = 1; }
__global__ void copy(float* to, const float* from) { to[threadIdx.x] = from[threadIdx.x]; }
__global__ void write_one(float* to) { to[0] = static_cast<float>(threadIdx.x); }
__global__ void write_byte(unsigned char* to) { to[3] = static_cast<unsigned char>(threadIdx.x); }
__global__ void write_pair(float* to) { *reinterpret_cast<float2*>(to + 1) = float2{1, 2}; }
__global__ void turn(float* to, bool wait) {
    __shared__ float turned[64];
    turned[63 - threadIdx.x] = static_cast<float>(threadIdx.x);
    if (wait) __syncthreads();
    to[threadIdx.x] = turned[threadIdx.x];
}
__global__ void wait_for_none(float* to) {
    if (threadIdx.x < 32) __syncthreads();
    to[threadIdx.x] = 1;
}
}  // namespace

int main(int, char** arguments) {
    constexpr int threads = 64;
    const auto is = [fault = arguments[1]](const char* name) { return std::strcmp(fault, name) == 0; };
    float *device = nullptr, *other = nullptr, *pinned = nullptr;
    cudaStream_t stream = nullptr;
    cudaMalloc(reinterpret_cast<void**>(&device), threads * sizeof(float));
    cudaMalloc(reinterpret_cast<void**>(&other), threads * sizeof(float));
    cudaHostAlloc(reinterpret_cast<void**>(&pinned), threads * sizeof(float), cudaHostAllocDefault);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    for (int i = 0; i < threads; ++i) pinned[i] = 0;

    if (is("none")) {
        turn<<<1, threads, 0, stream>>>(device, true);
        copy<<<1, threads, 0, stream>>>(pinned, device);
        cudaStreamSynchronize(stream);
        std::printf("first %g, last %g\n", static_cast<double>(pinned[0]), static_cast<double>(pinned[threads - 1]));
        return 0;
    }
    float of_host = 0;
    if (is("outside")) write<<<1, threads, 0, stream>>>(device, 1);
    if (is("of_the_host")) write<<<1, 1, 0, stream>>>(&of_host, 0);
    if (is("unwritten")) copy<<<1, threads, 0, stream>>>(other, device);
    if (is("one_place")) write_one<<<1, threads, 0, stream>>>(device);
    if (is("one_byte")) write_byte<<<1, threads, 0, stream>>>(reinterpret_cast<unsigned char*>(device));
    if (is("misaligned")) write_pair<<<1, 1, 0, stream>>>(device);
    if (is("read_and_written")) {
        write<<<1, threads, 0, stream>>>(device, 0);
        copy<<<1, threads - 1, 0, stream>>>(device + 1, device);
    }
    if (is("no_barrier")) turn<<<1, threads, 0, stream>>>(device, false);
    if (is("barrier_of_some")) wait_for_none<<<1, threads, 0, stream>>>(device);
    if (is("too_early")) {
        write<<<1, threads, 0, stream>>>(pinned, 0);
        std::printf("too early: %g\n", static_cast<double>(pinned[0]));
    }
    if (is("memory_in_a_graph")) {
        cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
        cudaMalloc(reinterpret_cast<void**>(&other), threads * sizeof(float));
    }
    if (is("wait_in_a_graph")) cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    cudaStreamSynchronize(stream);
    if (is("on_the_host")) device[0] = 1;
    return 0;
}
