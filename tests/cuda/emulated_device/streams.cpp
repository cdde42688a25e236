// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// The functions of the CUDA runtime that the library calls, but launches, on one device. Those that only say what an error is are CUDA's own.
#include "streams.hpp"
#include "memory.hpp"

#include <cuda_runtime.h>

#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace emulated {

namespace {
using call = std::function<void()>;
using graph = std::vector<call>;
struct stream {
    std::deque<call> calls;
    std::shared_ptr<graph> recording;
    bool is_broken = false;
};
struct event {
    stream* on = nullptr;
    bool is_pending = false;
};

std::recursive_mutex mutex;
stream of_all;  // the default stream, and that of each thread
std::set<stream*> streams{&of_all};
thread_local stream* recorded = nullptr;  // by this thread
cudaError_t last = cudaSuccess;

stream& find(cudaStream_t handle) {
    if (handle == nullptr || handle == cudaStreamPerThread) return of_all;
    auto* const one = reinterpret_cast<stream*>(handle);
    if (!streams.contains(one)) refuse("a stream that is not there");
    return *one;
}
void run_first(stream& of) {
    const call first = std::move(of.calls.front());
    of.calls.pop_front();
    first();
}
void run_all(stream& of) {
    while (!of.calls.empty()) run_first(of);
}
void run_all() {
    for (stream* one : streams) run_all(*one);
}
/// What must not happen while a stream is recorded: it ends the recording.
bool breaks_recording(const char* what) {
    if (recorded == nullptr) return false;
    complain(std::string(what) + " while a graph is recorded");
    recorded->is_broken = true;
    return true;
}
cudaError_t take(void** data, place in, std::size_t bytes, const char* what) {
    const std::lock_guard lock(mutex);
    if (breaks_recording(what)) return result(cudaErrorStreamCaptureUnsupported);
    *data = allocate(in, bytes);
    return result(*data == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t give(void* data, const char* what) {
    const std::lock_guard lock(mutex);
    if (data == nullptr) return cudaSuccess;
    if (breaks_recording(what)) return result(cudaErrorStreamCaptureUnsupported);
    run_all();
    return result(deallocate(data) ? cudaSuccess : cudaErrorInvalidValue);
}
}  // namespace

cudaError_t result(cudaError_t status) {
    const std::lock_guard lock(mutex);
    if (status != cudaSuccess) last = status;
    return status;
}
void enqueue(cudaStream_t handle, call what) {
    const std::lock_guard lock(mutex);
    stream& on = find(handle);
    if (on.recording != nullptr) {
        on.recording->push_back(std::move(what));
    } else {
        on.calls.push_back(std::move(what));
    }
}

}  // namespace emulated

using namespace emulated;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return result(device == 0 ? cudaSuccess : cudaErrorInvalidDevice); }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    *properties = {};
    std::strcpy(properties->name, "an emulated device");
    properties->major = 9;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
    *value = 1;  // of everything, which makes its peak a small one
    return cudaSuccess;
}
cudaError_t cudaGetLastError() { return std::exchange(last, cudaSuccess); }
cudaError_t cudaDeviceSynchronize() {
    const std::lock_guard lock(mutex);
    for (stream* one : streams)  // of whichever thread
        if (one->recording != nullptr) {
            complain("cudaDeviceSynchronize while a graph is recorded");
            one->is_broken = true;
            return result(cudaErrorStreamCaptureUnsupported);
        }
    run_all();
    return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, std::size_t bytes) { return take(data, place::device, bytes, "cudaMalloc"); }
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) { return take(data, place::pinned, bytes, "cudaHostAlloc"); }
cudaError_t cudaMallocManaged(void** data, std::size_t bytes, unsigned) { return take(data, place::managed, bytes, "cudaMallocManaged"); }
cudaError_t cudaFree(void* data) { return give(data, "cudaFree"); }
cudaError_t cudaFreeHost(void* data) { return give(data, "cudaFreeHost"); }

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* data) {
    const std::lock_guard lock(mutex);
    *attributes = {};
    switch (place_of(data)) {
        case place::device:
            attributes->type = cudaMemoryTypeDevice;
            break;
        case place::pinned:
            attributes->type = cudaMemoryTypeHost;
            break;
        case place::managed:
            attributes->type = cudaMemoryTypeManaged;
            break;
        case place::elsewhere:
            attributes->type = cudaMemoryTypeUnregistered;
            break;
    }
    return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t handle) {
    const std::lock_guard lock(mutex);
    stream& on = find(handle);
    const bool to_pageable = place_of(to) == place::elsewhere, from_pageable = place_of(from) == place::elsewhere;
    if ((to_pageable || from_pageable) && on.recording != nullptr && breaks_recording("a copy of pageable memory"))
        return result(cudaErrorStreamCaptureUnsupported);
    if (from_pageable) {  // which may change when the call is over
        const std::vector<char> staged(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
        enqueue(handle, [to, staged] { copy(to, staged.data(), staged.size()); });
    } else {
        enqueue(handle, [to, from, bytes] { copy(to, from, bytes); });
    }
    if (to_pageable) run_all(on);  // where it has arrived when the call is over
    return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t on) {
    enqueue(on, [to, value, bytes] { set(to, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned) {
    const std::lock_guard lock(mutex);
    *handle = reinterpret_cast<cudaStream_t>(*streams.insert(new stream).first);
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
    const std::lock_guard lock(mutex);
    stream& one = find(handle);
    run_all(one);
    streams.erase(&one);
    delete &one;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
    const std::lock_guard lock(mutex);
    if (breaks_recording("cudaStreamSynchronize")) return result(cudaErrorStreamCaptureUnsupported);
    run_all(find(handle));
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
    const std::lock_guard lock(mutex);
    stream& one = find(handle);
    if (recorded != nullptr || one.recording != nullptr) return result(cudaErrorIllegalState);
    recorded = &one;
    one.recording = std::make_shared<graph>();
    one.is_broken = false;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* made) {
    const std::lock_guard lock(mutex);
    stream& one = find(handle);
    if (recorded != &one) return result(cudaErrorStreamCaptureWrongThread);
    recorded = nullptr;
    const auto recording = std::move(one.recording);
    *made = one.is_broken ? nullptr : reinterpret_cast<cudaGraph_t>(new std::shared_ptr<graph>(recording));
    return result(one.is_broken ? cudaErrorStreamCaptureInvalidated : cudaSuccess);
}
cudaError_t cudaGraphGetNodes(cudaGraph_t of, cudaGraphNode_t*, std::size_t* count) {
    *count = (*reinterpret_cast<std::shared_ptr<graph>*>(of))->size();
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t of, unsigned long long) {
    *made = reinterpret_cast<cudaGraphExec_t>(new std::shared_ptr<graph>(*reinterpret_cast<std::shared_ptr<graph>*>(of)));
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t of, cudaStream_t on) {
    enqueue(on, [calls = *reinterpret_cast<std::shared_ptr<graph>*>(of)] {
        for (const call& one : *calls) one();
    });
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t one) {
    delete reinterpret_cast<std::shared_ptr<graph>*>(one);
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t one) {
    delete reinterpret_cast<std::shared_ptr<graph>*>(one);
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned) {
    *handle = reinterpret_cast<cudaEvent_t>(new std::shared_ptr<event>(std::make_shared<event>()));
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t handle) {
    delete reinterpret_cast<std::shared_ptr<event>*>(handle);
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t on) {
    const std::lock_guard lock(mutex);
    if (find(on).recording != nullptr && breaks_recording("cudaEventRecord, whose event somebody waits for,"))
        return result(cudaErrorStreamCaptureUnsupported);
    const auto one = *reinterpret_cast<std::shared_ptr<event>*>(handle);
    one->on = &find(on);
    one->is_pending = true;
    enqueue(on, [one] { one->is_pending = false; });
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
    const std::lock_guard lock(mutex);
    if (breaks_recording("cudaEventSynchronize")) return result(cudaErrorStreamCaptureUnsupported);
    const auto one = *reinterpret_cast<std::shared_ptr<event>*>(handle);
    while (one->is_pending && streams.contains(one->on) && !one->on->calls.empty()) run_first(*one->on);
    return cudaSuccess;
}
}
