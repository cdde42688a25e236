// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/host_arrays.hpp>
#include <bilevel/backend/single_worker.hpp>
#include <bilevel/backend/thrust/activation.hpp>
#include <bilevel/backend/thrust/batch_norm.hpp>
#include <bilevel/backend/thrust/bias.hpp>
#include <bilevel/backend/thrust/convolution.hpp>
#include <bilevel/backend/thrust/convolution_activation.hpp>
#include <bilevel/backend/thrust/folded.hpp>
#include <bilevel/backend/thrust/gather.hpp>
#include <bilevel/backend/thrust/launcher.hpp>
#include <bilevel/backend/thrust/loss.hpp>
#include <bilevel/backend/thrust/matrix.hpp>
#include <bilevel/backend/thrust/pooling.hpp>
#include <bilevel/backend/thrust/vector.hpp>

#ifdef __CUDACC__
#include <thrust/system/cuda/execution_policy.h>
#endif

#include <string>
#include <type_traits>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Every kernel on an execution policy of Thrust, such as `::thrust::omp::par`; the policy's system owns the memory of the arrays. All tasks of a batch
/// are one block: a kernel runs over tasks × elements, one call each, and the bits do not depend on the number of the system's threads.
/// `thrust<decltype(::thrust::omp::par), float> backend;`  It is its own and only worker. Link to bilevel::thrust, or define THRUST_DEVICE_SYSTEM as Thrust
/// wants it, and compile with OpenMP for its policy; nvcc takes policies and arrays of a device alone. Arrays says where the policy's kernels find arrays, as in
/// `array_placement` of primitives.hpp.
template <class ExecutionPolicy, class Scalar, class Arrays = host_arrays>
class thrust : public thrust_convolution<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_convolution_activation<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_folded<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_matrix<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_activation<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_pooling<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_batch_norm<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_bias<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_loss<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_gather<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public thrust_vector<thrust<ExecutionPolicy, Scalar, Arrays>, Scalar>,
               public single_worker<thrust<ExecutionPolicy, Scalar, Arrays>>,
               public Arrays {
    static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                  "bilevel: backend::thrust takes float or double; backend::reference any scalar");

public:
    using scalar = Scalar;
    using kernels = thrust;
    using execution_policy = std::remove_cvref_t<ExecutionPolicy>;
#ifdef __CUDACC__
    static_assert(
        std::is_base_of_v<::thrust::cuda::execution_policy<execution_policy>, execution_policy>,
        "bilevel: nvcc compiles backend::thrust for a device's policy alone: its kernels are lambdas of the device; compile what runs on a policy of the "
        "host, such as thrust::omp::par, with the host's compiler");
    static_assert(
        !Arrays::arrays_are_on_the_host,
        "bilevel: nvcc compiles backend::thrust for arrays of a device alone, since its kernels cannot read those of the host: expected "
        "Arrays such as cuda_arrays; backend::cuda<Scalar> has all that a GPU needs");
#endif
    using launcher_type = thrust_launcher<execution_policy>;

    explicit thrust(const execution_policy& policy = execution_policy(), const Arrays& arrays = {}) : Arrays(arrays), launcher_(policy) {}

    integer tasks_per_block(integer tasks) const { return tasks; }
    std::string describe() const {
        return std::string(std::is_same_v<Scalar, float> ? "thrust<float>" : "thrust<double>") + ", all tasks in one block";
    }
    /// How every kernel runs.
    launcher_type& launcher() { return launcher_; }

private:
    launcher_type launcher_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
