// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

/// What a kernel that `translate.py` turned into C++ runs with.
namespace emulated {

/// What is known of four bytes of memory: who wrote to them last, and who read them, in which kernel (of a block's memory: since which barrier).
struct watched {
    enum : std::uint8_t { outside, allocated, written };
    static constexpr std::uint32_t several = ~std::uint32_t{0};

    std::uint8_t state[4];
    std::uint8_t byte;  // that was written to last, of those that are written one by one
    std::uint32_t writer, written_in, reader, read_in;

    /// What is wrong with an access, or none.
    const char* write(std::uint32_t who, std::uint32_t now) {
        const char* wrong = written_in == now && writer != who ? "a race: two threads write to one place"
                            : read_in == now && reader != who  ? "a race: a thread writes to what another one reads"
                                                               : nullptr;
        writer = who;
        written_in = now;
        return wrong;
    }
    const char* read(std::uint32_t who, std::uint32_t now) {
        const char* wrong = written_in == now && writer != who ? "a race: a thread reads what another one writes" : nullptr;
        reader = read_in == now && reader != who ? several : who;
        read_in = now;
        return wrong;
    }
};

/// The memory that kernels see: the device's, which the host must not touch, and behind it the host's, pinned or managed.
struct memory_map {
    std::uint64_t begin, of_device, size;
    char* device;  // where kernels touch the first part
    watched* words;
    std::uint32_t kernel;  // the number of the one that runs

    char* at(std::uint64_t offset) const { return offset < of_device ? device + offset : reinterpret_cast<char*>(begin + offset); }
};
extern memory_map memory;

struct block;
struct thread {
    std::uint32_t tid, ctaid_x, ctaid_y, ctaid_z, ntid;
    std::uint32_t number;  // in the grid, from 1
    const char* parameters;
    char* shared;
    watched* shared_words;
    block* of;
};

[[noreturn]] void refuse(const thread& by, std::uint64_t address, int bytes, const char* wrong);
void complain(const char* wrong);
/// The size of the block's memory, and how many barriers it has passed.
std::uint32_t shared_size(const thread&);
std::uint32_t barriers(const thread&);

void barrier(const thread&);
/// c += a b by the warp, mma.m16n8k8 of TF32.
void mma(const thread&, float (&c)[4], const float (&a)[4], const float (&b)[2]);

template <class T, class S> T bits(S from) { return std::bit_cast<T>(from); }

template <int Bytes, bool Write>
void watch(const thread& by, std::uint64_t address, watched* words, std::uint64_t offset, std::uint32_t now) {
    if constexpr (Bytes >= 4) {
        for (watched* w = words + offset / 4; w != words + (offset + Bytes) / 4; ++w) {
            constexpr std::uint32_t all_written = 0x01010101U * watched::written;
            const auto state = std::bit_cast<std::uint32_t>(w->state);
            if (state != all_written) {
                for (const std::uint8_t s : w->state)
                    if (s == watched::outside) refuse(by, address, Bytes, "outside of every array");
                if (!Write) complain("nobody has written what is read");
                std::memset(w->state, watched::written, 4);
            }
            const char* wrong = Write ? w->write(by.number, now) : w->read(by.number, now);
            if (wrong != nullptr) complain(wrong);
        }
    } else {
        for (std::uint64_t i = offset; i < offset + Bytes; ++i) {
            std::uint8_t& state = words[i / 4].state[i % 4];
            if (state == watched::outside) refuse(by, address, Bytes, "outside of every array");
            if (!Write && state != watched::written) complain("nobody has written what is read");
            state = watched::written;
            // Of four neighbours, each of which another thread may write to, the last is known: who comes back to the same byte at once.
            watched& w = words[i / 4];
            if (Write && w.written_in == now && w.writer != by.number && w.byte == i % 4)
                complain("a race: two threads write to one place");
            if (Write) {
                w.writer = by.number;
                w.written_in = now;
                w.byte = static_cast<std::uint8_t>(i % 4);
            }
        }
    }
}
template <class T, bool Write> T* global(const thread& by, std::uint64_t address) {
    const std::uint64_t offset = address - memory.begin;
    if (address % sizeof(T) != 0) refuse(by, address, sizeof(T), "misaligned");
    if (offset >= memory.size) refuse(by, address, sizeof(T), "an address that is none of the device");
    watch<int{sizeof(T)}, Write>(by, address, memory.words, offset, memory.kernel);
    return reinterpret_cast<T*>(memory.at(offset));
}
template <class T, bool Write> T* of_block(const thread& by, std::uint64_t offset) {
    if (offset % sizeof(T) != 0) refuse(by, offset, sizeof(T), "misaligned in the block's memory");
    if (offset + sizeof(T) > shared_size(by)) refuse(by, offset, sizeof(T), "outside of the block's memory");
    watch<int{sizeof(T)}, Write>(by, offset, by.shared_words, offset, barriers(by));
    return reinterpret_cast<T*>(by.shared + offset);
}

template <class T> T ld_param(const thread& by, std::uint64_t offset) {
    T value;
    std::memcpy(&value, by.parameters + offset, sizeof(T));
    return value;
}
template <class T> T ld_global(const thread& by, std::uint64_t address) { return *global<T, false>(by, address); }
template <class T> void st_global(const thread& by, std::uint64_t address, T value) { *global<T, true>(by, address) = value; }
template <class T> T ld_shared(const thread& by, std::uint64_t offset) { return *of_block<T, false>(by, offset); }
template <class T> void st_shared(const thread& by, std::uint64_t offset, T value) { *of_block<T, true>(by, offset) = value; }
inline void aligned(const thread& by, std::uint64_t address, int bytes) {
    if (address % std::uint64_t(bytes) != 0) refuse(by, address, bytes, "a misaligned vector");
}

// Where C++ leaves open what PTX says.
template <class T> T shl(T x, std::uint32_t n) { return n >= sizeof(T) * 8 ? T(0) : T(x << n); }
template <class T> T shr(T x, std::uint32_t n) { return n >= sizeof(T) * 8 ? T(x < 0 ? -1 : 0) : T(x >> n); }
template <class T> T bfi(T a, T b, std::uint32_t position, std::uint32_t length) {
    const T mask = shl(T(length >= sizeof(T) * 8 ? ~T(0) : (T(1) << length) - 1), position);
    return T((shl(a, position) & mask) | (b & ~mask));
}
inline float saturate(float x) { return x > 0 ? std::fmin(x, 1.0F) : 0.0F; }
inline float fma_down(float a, float b, float c) {
    const double product = double(a) * double(b), sum = product + double(c);
    const double of_product = sum - double(c), rest = (product - of_product) + (double(c) - (sum - of_product));
    const float nearest = float(sum);
    return double(nearest) > sum || (double(nearest) == sum && rest < 0) ? std::nextafter(nearest, -INFINITY) : nearest;
}
inline float ex2_approx(float x) {
    const float y = std::exp2(x);
    return std::fpclassify(y) == FP_SUBNORMAL ? 0.0F : y;
}
/// Has 20 bits.
inline double rcp_approx(double x) { return std::bit_cast<double>(std::bit_cast<std::uint64_t>(1 / x) & 0xFFFFFFFF00000000U); }

/// A kernel, as its library names it.
struct kernel {
    struct parameter {
        int offset, size;
    };
    void (*run)(const thread&);
    const parameter* parameters;
    int count, bytes_of_parameters, bytes_of_shared;
    bool threads_wait;  // for each other
};

}  // namespace emulated
