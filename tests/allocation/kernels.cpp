// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// An executable of its own: it replaces operator new, and lets Eigen end the program where it allocates (EIGEN_RUNTIME_NO_MALLOC, tests/compiled_kernels).
#include <bilevel/backend/cpu.hpp>

#include <doctest/doctest.h>
#ifdef BILEVEL_ALLOCATION_OF_THRUST
#include <fixtures/thrust.hpp>
#define KERNELS_OF_THRUST , fixture::sequential_thrust<float>, fixture::sequential_thrust<double>
#else
#define KERNELS_OF_THRUST
#endif

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace {
std::atomic<long> allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
    ++allocations;
    void* const memory = alignment <= alignof(std::max_align_t)
                             ? std::malloc(size)
                             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}
}  // namespace

void* operator new(std::size_t size) { return allocate(size, 1); }
void* operator new[](std::size_t size) { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate(size, static_cast<std::size_t>(alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return allocate(size, static_cast<std::size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace bilevel;

namespace {

/// All kernels that could need scratch memory, large enough for several panels and blocks.
template <class Kernels> struct work {
    using Scalar = typename Kernels::scalar;
    static constexpr integer batch = 11, side = 14, channels = 40, filters = 48, half = side / 2;
    static constexpr integer rows_of_matrix = batch * side * side / 9;
    aligned_vector<Scalar> x = numbers(batch * side * side * channels), dx = x;
    aligned_vector<Scalar> y = numbers(batch * side * side * filters), n = y, dn = y;
    aligned_vector<Scalar> w = numbers(9 * channels * filters), dw = w;
    aligned_vector<Scalar> a = numbers(filters), b = a, c = a, d = a;
    aligned_vector<Scalar> pooled = numbers(batch * half * half * filters);
    aligned_vector<Scalar> u = numbers(backend::transformed_weights<Scalar, channels, filters>::count());
    std::vector<std::uint8_t> argmax = std::vector<std::uint8_t>(pooled.size());
    Scalar sum = 0;

    static aligned_vector<Scalar> numbers(integer count) {
        aligned_vector<Scalar> v(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = Scalar(1) + Scalar(i % 7) / 8;
        return v;
    }
    static view<Scalar> image(aligned_vector<Scalar>& v, integer s, integer c) { return {v.data(), 0, 1, batch, s * s * c, {s, s, c}}; }
    static view<Scalar> parameter(aligned_vector<Scalar>& v) {
        return {v.data(), 0, 1, 1, static_cast<integer>(v.size()), {static_cast<integer>(v.size())}};
    }

    void operator()(Kernels& k) {
        const view<Scalar> weights{w.data(), 0, 1, 1, 9 * channels * filters, {3, 3, channels, filters}};
        const view<Scalar> dweights{dw.data(), 0, 1, 1, 9 * channels * filters, {3, 3, channels, filters}};
        const view<Scalar> in = image(x, side, channels), out = image(y, side, filters), normal = image(n, side, filters),
                           moved = image(dn, side, filters);
        const view<Scalar> gain = parameter(a), mean = parameter(b), r = parameter(c), sums = parameter(d),
                           small = image(pooled, half, filters);
        const view<std::uint8_t> positions{argmax.data(), 0, 1, batch, small.size, {half, half, filters}};
        k.conv2d(out, in, weights, {1, 1}, false);
        k.conv2d_backward_data(image(dx, side, channels), out, weights, {1, 1}, false);
        k.conv2d_backward_weights(dweights, in, out, {1, 1}, true);
        if constexpr (requires { k.conv2d_tangent(out, in, weights, in, dweights, {1, 1}); }) {
            k.conv2d_moments(out, mean, r, in, weights, {1, 1}, Scalar(1e-5));
            k.conv2d_tangent(out, in, weights, in, dweights, {1, 1});
            k.conv2d_backward_data_tangent(image(dx, side, channels), out, weights, normal, dweights, {1, 1});
            k.conv2d_backward_weights_tangent(dweights, in, out, in, normal, {1, 1});
        }
        if constexpr (backend::weight_transforming_kernels<Kernels>) {
            const view<Scalar> transformed{u.data(), 0, 1, 1, static_cast<integer>(u.size()), {16, static_cast<integer>(u.size()) / 16}};
            k.transform_weights(transformed, weights, in, {1, 1}, false);
            k.conv2d_tangent(out, in, backend::convolution_weights<Scalar>(weights, transformed), in, dweights, {1, 1});
            k.transform_weights(transformed, weights, out, {1, 1}, true);
            k.conv2d_backward_data_tangent(image(dx, side, channels), out, backend::convolution_weights<Scalar>(weights, transformed),
                                           normal, dweights, {1, 1});
        }
        k.conv2d(small, in, weights, {2, 1}, true);
        const backend::normalised<Scalar> of{out, mean, r, gain, sums};
        const backend::activation<Scalar> follows{Scalar(0)};
        k.moments(mean, r, out, Scalar(0.001));
        k.moments_tangent(mean, sums, normal, of);
        k.batch_norm(small, positions, of, follows);
        k.batch_norm_tangent(small, small, positions, of, of, follows);
        k.batch_norm_sums(gain, sums, small, small, positions, of, follows);
        k.batch_norm_sums_tangent(gain, sums, small, small, small, positions, of, of, follows);
        k.batch_norm_backward(moved, gain, sums, small, small, positions, of, follows);
        k.batch_norm_backward_tangent(moved, gain, sums, gain, sums, small, small, small, positions, of, of, follows);
        const view<Scalar> patch{b.data(), 0, 1, 1, 9, {3, 3, 1}}, covariance{dw.data(), 0, 1, 1, 81, {9, 9}},
            black{x.data(), 0, 1, batch, side * side, {side, side, 1}}, first{w.data(), 0, 1, 1, 9 * filters, {3, 3, 1, filters}};
        k.patch_moments(patch, covariance, black, {1, 1});
        k.conv2d_activation(small, positions, black, first, gain, {1, 1}, follows);
        k.conv2d_activation_tangent(small, small, positions, black, first, gain, {1, 1}, follows);
        k.conv2d_activation_backward({dw.data(), 0, 1, 1, 9 * filters, {3, 3, 1, filters}}, gain, small, small, positions, black, {1, 1},
                                     follows);
        k.max_pool(small, positions, out);
        k.max_pool_scatter(moved, small, positions);
        // The same numbers as matrices.
        const view<Scalar> left{x.data(), 0, 1, rows_of_matrix, 9 * channels, {9 * channels}},
            product{y.data(), 0, 1, rows_of_matrix, filters, {filters}};
        const view<Scalar> right{w.data(), 0, 1, 1, 9 * channels * filters, {9 * channels, filters}};
        k.matmul(product, left, right, false);
        k.matmul_backward_data(left, product, right, true);
        k.matmul_backward_weights(right, left, product, true);
        k.inner_products(&sum, rows<const Scalar>{y.data(), 0, 1, 1000}, rows<const Scalar>{n.data(), 0, 1, 1000});
    }
};

TEST_CASE_TEMPLATE("allocation: the kernels allocate in their first call and never again", Kernels, backend::cpu_kernels<float>,
                   backend::cpu_kernels<double> KERNELS_OF_THRUST) {
    Kernels kernels;
    work<Kernels> all;
    const auto taken = [&] {  // the scratch memory of Thrust's kernels is that of their policy's system
        long times = allocations;
        if constexpr (requires { kernels.launcher(); }) times += static_cast<long>(kernels.launcher().scratch_growths());
        return times;
    };
    const long before = taken();
    all(kernels);
    CHECK(taken() > before);  // it counts
    const long warm = taken();
    Eigen::internal::set_is_malloc_allowed(false);
    all(kernels);
    all(kernels);
    Eigen::internal::set_is_malloc_allowed(true);
    CHECK(taken() == warm);
}

TEST_CASE("allocation: handing out blocks allocates nothing") {
    for (const integer threads : {1, 3}) {
        backend::cpu<float> backend{{.threads = threads}};
        long sum = 0;
        const auto run = [&] {
            backend.for_each_block(
                9, [](integer, integer) {},
                [&sum, &backend, threads](integer block, integer) { sum += block + backend.workers() - threads; });
        };
        run();
        const long before = allocations;
        for (int i = 0; i < 50; ++i) run();
        CHECK(allocations == before);
        CHECK(sum == 51 * 36);
    }
}

}  // namespace
