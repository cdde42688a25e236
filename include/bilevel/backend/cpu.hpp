// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/activation.hpp>
#include <bilevel/backend/cpu/batch_norm.hpp>
#include <bilevel/backend/cpu/bias.hpp>
#include <bilevel/backend/cpu/convolution.hpp>
#include <bilevel/backend/cpu/convolution_activation.hpp>
#include <bilevel/backend/cpu/matrix.hpp>
#include <bilevel/backend/cpu/pooling.hpp>
#include <bilevel/backend/cpu/thread_pool.hpp>
#include <bilevel/backend/cpu/vector.hpp>
#include <bilevel/backend/host_arrays.hpp>
#include <bilevel/backend/reference/folded.hpp>
#include <bilevel/backend/reference/gather.hpp>
#include <bilevel/backend/reference/loss.hpp>
#include <bilevel/core/error.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// The kernels of one worker of `cpu`, with scratch memory of their own, which grows in the first calls and then stays. What is small or vectorises as
/// it is (activations, losses, the rows of a head) is the reference's.
template <class Scalar>
struct alignas(64) cpu_kernels : cpu_convolution<Scalar>,
                                 cpu_convolution_activation<Scalar>,
                                 cpu_matrix<Scalar>,
                                 cpu_pooling<Scalar>,
                                 cpu_batch_norm<Scalar>,
                                 cpu_bias<Scalar>,
                                 cpu_vector<Scalar>,
                                 cpu_activation<Scalar>,
                                 reference_folded<Scalar>,
                                 reference_loss<Scalar>,
                                 reference_gather<Scalar>,
                                 host_arrays {
    static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                  "bilevel: backend::cpu takes float or double; backend::reference any scalar");
    using scalar = Scalar;
};

/// How a `cpu` backend computes. The result does not depend on the number of threads, nor on how they share.
struct cpu_settings {
    integer threads = 1;  // the calling one among them
    convolution_algorithm convolution = convolution_algorithm::automatic;  // or one for all convolutions that it can do
    /// Where fewer tasks than threads are left, several share a kernel if each has at least so many elements (or 64 multiply-adds for each).
    integer smallest_share = integer{1} << 15;
};

/// The machine's cores: convolutions and matrix products in register tiles, loops that the compiler vectorises, and one thread a worker, each with
/// whole tasks, or where fewer tasks than threads are left several threads a task. The results have the same bits for any number of threads.  Throws `argument_error` where `threads` is not positive.
template <class Scalar> class cpu {
public:
    using scalar = Scalar;
    using kernels = cpu_kernels<Scalar>;

    explicit cpu(const cpu_settings& settings = {})
        : pool_(checked(settings.threads)), kernels_(static_cast<std::size_t>(settings.threads)) {
        for (integer i = 0; i < settings.threads; ++i) {
            worker(i).pin(settings.convolution);
            worker(i).share_among(pool_.team(i), settings.smallest_share);
        }
    }

    integer workers() const { return pool_.workers(); }
    kernels& worker(integer i) { return kernels_[static_cast<std::size_t>(i)]; }
    integer tasks_per_block(integer) const { return 1; }

    /// See `thread_pool::for_each_block`.
    template <class Body, class Merge> void for_each_block(integer blocks, Body&& body, Merge&& merge) {
        pool_.for_each_block(blocks, std::forward<Body>(body), std::forward<Merge>(merge));
    }

    std::string describe() const {
        return std::string(std::is_same_v<Scalar, float> ? "cpu<float>, " : "cpu<double>, ") + std::to_string(workers()) +
               (workers() == 1 ? " thread, " : " threads, ") + instruction_set;
    }

private:
    static integer checked(integer threads) {
        if (threads <= 0) throw argument_error("bilevel: cpu_settings::threads is " + std::to_string(threads) + ": expected at least 1");
        return threads;
    }

    thread_pool pool_;
    std::vector<kernels> kernels_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
