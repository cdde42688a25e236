// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// What nvcc makes of kernel<<<grid, threads, shared, stream>>>(arguments).
#include "kernels.hpp"
#include "streams.hpp"

#include <cuda_runtime.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

using namespace emulated;

namespace {
std::mutex mutex;
struct launch {
    dim3 grid, threads;
    std::size_t shared;
    cudaStream_t stream;
};
thread_local std::vector<launch> launches;
std::map<const void*, std::string>& names() {
    static std::map<const void*, std::string> of_kernels;
    return of_kernels;
}
}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* module) {
    add_module(module);
    return static_cast<void**>(module);
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterVar(void**, char*, char*, const char*, int, std::size_t, int, int) {}
void __cudaRegisterFunction(void**, const char* host, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*, int*) {
    names()[host] = name;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 threads, std::size_t shared, void* on) {
    launches.push_back({grid, threads, shared, static_cast<cudaStream_t>(on)});
    return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* threads, std::size_t* shared, void* on) {
    if (launches.empty()) return result(cudaErrorMissingConfiguration);
    const launch now = launches.back();
    launches.pop_back();
    *grid = now.grid;
    *threads = now.threads;
    *shared = now.shared;
    std::memcpy(on, &now.stream, sizeof now.stream);
    return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 threads, void** arguments, std::size_t, cudaStream_t on) {
    const std::lock_guard lock(mutex);
    const auto name = names().find(function);
    if (name == names().end()) return result(cudaErrorInvalidDeviceFunction);
    constexpr unsigned most = 65535, most_threads = 1024;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 2147483647U || grid.y > most || grid.z > most || threads.x == 0 ||
        threads.x > most_threads || threads.y != 1 || threads.z != 1)
        return result(cudaErrorInvalidConfiguration);
    const kernel& what = kernel_of(name->second);
    std::vector<char> parameters(static_cast<std::size_t>(what.bytes_of_parameters));
    for (int i = 0; i < what.count; ++i)
        std::memcpy(&parameters[static_cast<std::size_t>(what.parameters[i].offset)], arguments[i],
                    static_cast<std::size_t>(what.parameters[i].size));
    enqueue(on, [&what, &called = name->second, grid, threads, parameters] { run(what, called, grid, threads, parameters); });
    return cudaSuccess;
}
// CUDA 13 launches by a handle of the kernel.
cudaError_t __cudaGetKernel(void** found, const void* function) {
    *found = const_cast<void*>(function);
    return cudaSuccess;
}
cudaError_t __cudaLaunchKernel(void* function, dim3 grid, dim3 threads, void** arguments, std::size_t shared, cudaStream_t on) {
    return cudaLaunchKernel(function, grid, threads, arguments, shared, on);
}
}
