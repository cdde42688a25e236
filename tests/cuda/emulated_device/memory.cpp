// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "memory.hpp"
#include "kernel.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace emulated {

namespace {
constexpr std::size_t of_each = std::size_t{8} << 30, gap = 256;  // an array's neighbours are not behind its end

std::string running = "the host";
bool any_fault = false;

void* reserve(std::size_t bytes, int protection, int flags, int file, void* at = nullptr) {
    void* const data = mmap(at, bytes, protection, flags | MAP_NORESERVE, file, 0);
    if (data == MAP_FAILED) refuse("no address space for the emulated device");
    return data;
}
void on_signal(int, siginfo_t* about, void*) {
    refuse(place_of(about->si_addr) == place::device ? "the host touches memory of the device" : "a segmentation fault");
}
/// The device's part cannot be touched where the host sees it, but at another address, where kernels do.
memory_map reserved() {
    const int file = memfd_create("emulated device", 0);
    if (file < 0 || ftruncate(file, static_cast<off_t>(of_each)) != 0) refuse("no memory for the emulated device");
    char* const begin = static_cast<char*>(reserve(2 * of_each, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
    reserve(of_each, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, begin + of_each);
    void* const device = reserve(of_each, PROT_READ | PROT_WRITE, MAP_SHARED, file);
    void* const words = reserve(2 * of_each / 4 * sizeof(watched), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    return {reinterpret_cast<std::uint64_t>(begin), of_each, 2 * of_each, static_cast<char*>(device), static_cast<watched*>(words), 0};
}

struct array {
    std::size_t bytes;
    place in;
};
std::map<std::uint64_t, array> arrays;  // by their offsets
std::multimap<std::size_t, std::uint64_t> free_of_device, free_of_host;  // by their room
std::uint64_t next_of_device = gap, next_of_host = of_each + gap;

void mark(std::uint64_t offset, std::size_t bytes, std::uint8_t state) {
    for (std::uint64_t i = offset; i < offset + bytes; ++i) memory.words[i / 4].state[i % 4] = state;
}
std::size_t room_for(std::size_t bytes) { return (bytes + gap - 1) / gap * gap + gap; }
/// Where the program sees it and where it is; refuses what is not wholly within an array.
char* seen(const void* data, std::size_t bytes, bool is_written, bool& is_of_device) {
    const std::uint64_t offset = reinterpret_cast<std::uint64_t>(data) - memory.begin;
    is_of_device = offset < memory.of_device;
    if (offset >= memory.size) return static_cast<char*>(const_cast<void*>(data));
    for (std::uint64_t i = offset; i < offset + bytes; ++i) {
        std::uint8_t& state = memory.words[i / 4].state[i % 4];
        if (state == watched::outside) refuse("a copy touches what is outside of every array");
        if (is_written) state = watched::written;
        if (!is_written && is_of_device && state != watched::written) {
            complain("a copy of what nobody has written");
            break;
        }
    }
    return memory.at(offset);
}

struct last_word {
    ~last_word() {
        std::fflush(nullptr);
        if (any_fault) _exit(9);
    }
} at_exit;
}  // namespace

memory_map memory = reserved();

void* allocate(place in, std::size_t bytes) {
    const bool of_device = in == place::device;
    auto& free = of_device ? free_of_device : free_of_host;
    std::uint64_t &next = of_device ? next_of_device : next_of_host, offset = next;
    if (const auto found = free.find(room_for(bytes)); found != free.end()) {
        offset = found->second;
        free.erase(found);
    } else {
        if (next + room_for(bytes) > (of_device ? of_each : 2 * of_each)) return nullptr;
        next += room_for(bytes);
    }
    arrays[offset] = {bytes, in};
    mark(offset, bytes, of_device ? watched::allocated : watched::written);  // what the host writes nobody sees
    std::memset(memory.at(offset), 0xFF, bytes);  // not a number
    return reinterpret_cast<void*>(memory.begin + offset);
}

bool deallocate(void* data) {
    const auto found = arrays.find(reinterpret_cast<std::uint64_t>(data) - memory.begin);
    if (found == arrays.end()) return false;
    const auto [bytes, in] = found->second;
    mark(found->first, bytes, watched::outside);
    (in == place::device ? free_of_device : free_of_host).emplace(room_for(bytes), found->first);
    arrays.erase(found);
    return true;
}

place place_of(const void* data) {
    const std::uint64_t offset = reinterpret_cast<std::uint64_t>(data) - memory.begin;
    if (offset >= memory.size) return place::elsewhere;
    auto found = arrays.upper_bound(offset);
    if (found == arrays.begin()) return place::elsewhere;
    --found;
    return offset < found->first + found->second.bytes ? found->second.in : place::elsewhere;
}

void copy(void* to, const void* from, std::size_t bytes) {
    bool of_device = false;
    const char* const source = seen(from, bytes, false, of_device);
    std::memmove(seen(to, bytes, true, of_device), source, bytes);
}

void set(void* to, int value, std::size_t bytes) {
    bool of_device = false;
    std::memset(seen(to, bytes, true, of_device), value, bytes);
}

void begin_kernel(const std::string& name) {
    running = name;
    ++memory.kernel;
}
void end_kernel() { running = "the host"; }

void complain(const std::string& what) {
    static std::set<std::string> said;
    any_fault = true;
    if (said.insert(what + running).second) std::fprintf(stderr, "EMULATED DEVICE: %s, in %s\n", what.c_str(), running.c_str());
}
void refuse(const std::string& what) {
    std::fprintf(stderr, "EMULATED DEVICE: %s, in %s\n", what.c_str(), running.c_str());
    std::fflush(nullptr);
    _exit(9);
}

namespace {
std::string told(const thread& by, std::uint64_t address, int bytes, const char* wrong) {
    char text[200];
    std::snprintf(text, sizeof text, " (%d bytes at %#llx, block %u,%u,%u, thread %u)", bytes, static_cast<unsigned long long>(address),
                  by.ctaid_x, by.ctaid_y, by.ctaid_z, by.tid);
    return std::string(wrong) + text;
}
}  // namespace
void refuse(const thread& by, std::uint64_t address, int bytes, const char* wrong) { refuse(told(by, address, bytes, wrong)); }
void complain(const char* wrong) { complain(std::string(wrong)); }

}  // namespace emulated
