// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Computes the hypergradient of an algorithm on arrays that lie in .npy files, and writes it to one: whoever wants to check us against another program
// gives both the same arrays. `hypergradient --help` describes the files, `--write-example DIR` makes some, `--layout` says what the parameters are.
// ctest: --help
#include "hypergradient/arrays.hpp"
#include "hypergradient/device_peak.hpp"
#include "hypergradient/evaluator.hpp"
#include "hypergradient/networks.hpp"
#include "hypergradient/settings.hpp"
#include "peak_memory.hpp"

#include "../benchmarks/peak.hpp"

#include <bilevel/core/error.hpp>
#include <bilevel/io/npy.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace exchange {

namespace {

void print_layout(const settings& s) {
    for (const auto& array : find_network(s, s.image).arrays(s)) {
        std::string extents;
        for (const integer extent : array.extents) {
            if (!extents.empty()) extents += ',';
            extents += std::to_string(extent);
        }
        std::cout << array.name << ' ' << array.offset << ' ' << extents << ' ' << array.axes << '\n';
    }
}

// Of as many threads, or of the device.
template <class Scalar> double peak_flops(const settings& s) {
#ifdef HYPERGRADIENT_CUDA
    if (s.is_on_cuda()) return device_peak_flops(std::is_same_v<Scalar, float>);
#endif
    return benchmarks::peak_flops<Scalar>(s.threads);
}

// The median of s.repeat evaluations by the clock, the most memory until then, and the operations of one evaluation beside what the machine can do.
template <class Scalar, class Evaluate, class Bill> void print_speed(const settings& s, Evaluate evaluate, Bill bill) {
    std::vector<double> milliseconds;
    for (integer i = 0; i < s.repeat; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        evaluate();
        milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    const std::size_t half = milliseconds.size() / 2;
    const double median = milliseconds.size() % 2 == 1 ? milliseconds[half] : (milliseconds[half - 1] + milliseconds[half]) / 2;
    const double memory = peak_rss_mb(), flops = bill(), peak = peak_flops<Scalar>(s);
    std::printf("milliseconds %.4g\npeak_rss_mb %.4g\ngflop %.4g\npeak_gflops %.4g\nshare_of_peak %.3g\n", median, memory, flops / 1e9,
                peak / 1e9, flops / (median / 1e3) / peak);
}

template <class Scalar> void evaluate(const settings& s) {
    const compiled_network& network = find_network(s, image_shape(s));
    const arrays<Scalar> input = read_arrays<Scalar>(s, network);
    settings complete = s;
    complete.ways = input.ways;
    backend<Scalar> on({.threads = s.threads, .convolution = s.convolution});
    const auto with =
        s.is_on_cuda() ? network.evaluator_on_cuda<Scalar>(complete, input.outputs) : network.evaluator_on_cpu(on, complete, input.outputs);
    with->move_to(input.parameters);
    const auto of_host = input.view(), batch = with->placed(of_host, network.image[0] * network.image[1] * network.image[2]);
    const auto [vector, report] = (*with)(batch);
    bilevel::io::write_npy<Scalar>(s.output, std::vector<integer>{integer(vector.size())}, vector);
    std::printf("loss %.17g\naccuracy %.6g\ngradient_norm %.9g\n", report.loss, report.accuracy, report.gradient_norm);
    const auto bill = [&] {  // by the cpu's kernels, wherever the others ran
        const auto on_cpu = network.evaluator_on_cpu(on, complete, input.outputs);
        on_cpu->move_to(input.parameters);
        auto one = of_host;  // of all tasks, which cost the same
        one.tasks = 1;
        return static_cast<double>(of_host.tasks) * benchmarks::total(on.watch([&] { (*on_cpu)(one); })).flops;
    };
    if (s.repeat > 0)
        print_speed<Scalar>(
            s, [&] { (*with)(batch); }, bill);
}

void run(const settings& s) {
    const bool in_float = s.scalar == "float";
    if (s.what == request::layout) {
        print_layout(s);
    } else if (s.what == request::write_example) {
        const compiled_network& network = find_network(s, s.image);
        in_float ? write_example<float>(s, network) : write_example<double>(s, network);
    } else {
        in_float ? evaluate<float>(s) : evaluate<double>(s);
    }
}

int failed(const char* why, int status) {
    std::cout.flush();
    std::fprintf(stderr, "hypergradient: %s\n", why);
    return status;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
    using exchange::failed;
    try {
        if (const auto s = exchange::parse(argc, argv)) exchange::run(*s);
        return 0;
    } catch (const bilevel::argument_error& refused) {
        return failed(refused.what(), 2);
    } catch (const std::bad_alloc&) {
        return failed("out of memory: fewer --threads need less, and --planes recomputed of maml and anil", 1);
    } catch (const std::exception& failure) {
        return failed(failure.what(), 1);
    }
}
