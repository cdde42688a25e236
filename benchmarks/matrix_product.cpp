// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// y = x w and its two adjoints, x = y wᵀ and w = xᵀ y, on one thread: ours beside Eigen's operators and, where it was found, OpenBLAS. The extents are a
// square, heads of the networks, and the 1 × 1 convolutions of ResNet-12, whose rows are the pixels of 50 images of 32 × 32 or of 5 of 84 × 84.
// Each row: rows x depth x columns, of x (rows, depth)  w (depth, columns)  y (rows, columns).
#include <bilevel/backend/cpu/matrix_product.hpp>
#include <bilevel/core/aligned_vector.hpp>
#include <bilevel/core/eigen.hpp>

#include <benchmark/benchmark.h>

#include <string>

#include "counters.hpp"
#include "networks.hpp"
#ifdef BILEVEL_BENCHMARK_OPENBLAS
#include <cblas.h>
#endif

namespace {

using namespace benchmarks;
using bilevel::view;
using product = bilevel::backend::matrix_product<float>;

enum class which { forward, backward_data, backward_weights };

struct matrices {
    product::extents of;
    bilevel::aligned_vector<float> x = noise(of.rows * of.depth, 1), w = noise(of.depth * of.columns, 2),
                                   y = noise(of.rows * of.columns, 3);
};

template <which Which> void ours(product& own, matrices& m) {
    const bilevel::backend::shared_among_threads alone;
    const product::extents& of = m.of;
    const auto matrix = [](float* data, integer rows, integer columns) { return view<float>{data, 0, 1, rows, columns, {columns}}; };
    const auto x = matrix(m.x.data(), of.rows, of.depth), w = matrix(m.w.data(), of.depth, of.columns),
               y = matrix(m.y.data(), of.rows, of.columns);
    if constexpr (Which == which::forward) own.multiply(alone, y, x, w, of, false);
    if constexpr (Which == which::backward_data) own.multiply_by_transposed(alone, x, y, w, of, false);
    if constexpr (Which == which::backward_weights) own.multiply_transposed(alone, w, x, y, of, false);
}

template <which Which> void eigen(product&, matrices& m) {
    using matrix = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
    matrix x(m.x.data(), m.of.rows, m.of.depth), w(m.w.data(), m.of.depth, m.of.columns), y(m.y.data(), m.of.rows, m.of.columns);
    if constexpr (Which == which::forward) y.noalias() = x * w;
    if constexpr (Which == which::backward_data) x.noalias() = y * w.transpose();
    if constexpr (Which == which::backward_weights) w.noalias() = x.transpose() * y;
}

#ifdef BILEVEL_BENCHMARK_OPENBLAS
template <which Which> void openblas(product&, matrices& m) {
    const auto rows = blasint(m.of.rows), depth = blasint(m.of.depth), columns = blasint(m.of.columns);
    float *const x = m.x.data(), *const w = m.w.data(), *const y = m.y.data();
    if constexpr (Which == which::forward)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, depth, 1, x, depth, w, columns, 0, y, columns);
    if constexpr (Which == which::backward_data)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, depth, columns, 1, y, columns, w, columns, 0, x, depth);
    if constexpr (Which == which::backward_weights)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, depth, columns, rows, 1, x, depth, y, columns, 0, w, columns);
}
#endif

void add_row(const std::string& name, const product::extents& of, void (*multiply)(product&, matrices&)) {
    const std::string at = std::to_string(of.rows) + 'x' + std::to_string(of.depth) + 'x' + std::to_string(of.columns);
    benchmark::RegisterBenchmark((name + '/' + at).c_str(), [=](benchmark::State& state) {
        matrices m{of};
        product own;
        multiply(own, m);
        const stopwatch watch;
        for ([[maybe_unused]] auto _ : state) {
            multiply(own, m);
            benchmark::ClobberMemory();
        }
        const double elements = double(of.rows * of.depth + of.depth * of.columns + of.rows * of.columns);
        report_rates(state, watch, 2 * double(of.multiply_adds()), elements * sizeof(float));
    })->Unit(benchmark::kMicrosecond);
}

template <which Which> void add_rows(const std::string& name, const product::extents& of) {
    add_row(name + "/bilevel", of, ours<Which>);
    add_row(name + "/eigen", of, eigen<Which>);
#ifdef BILEVEL_BENCHMARK_OPENBLAS
    add_row(name + "/openblas", of, openblas<Which>);
#endif
}

[[maybe_unused]] const bool registered = [] {
#ifdef BILEVEL_BENCHMARK_OPENBLAS
    openblas_set_num_threads(1);
#endif
    for (const product::extents& of : {product::extents{512, 512, 512},
                                       {5, 1600, 64},
                                       {75, 64, 5},
                                       {75, 800, 5},
                                       {50, 640, 64},
                                       {51200, 3, 64},
                                       {12800, 64, 160},
                                       {3200, 160, 320},
                                       {800, 320, 640},
                                       {8820, 64, 160},
                                       {2205, 160, 320},
                                       {500, 320, 640}}) {
        add_rows<which::forward>("multiply", of);
        add_rows<which::backward_data>("multiply_by_transposed", of);
        add_rows<which::backward_weights>("multiply_transposed", of);
    }
    return true;
}();

}  // namespace
