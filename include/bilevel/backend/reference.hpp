// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/host_arrays.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/backend/reference/activation.hpp>
#include <bilevel/backend/reference/batch_norm.hpp>
#include <bilevel/backend/reference/bias.hpp>
#include <bilevel/backend/reference/convolution.hpp>
#include <bilevel/backend/reference/convolution_activation.hpp>
#include <bilevel/backend/reference/folded.hpp>
#include <bilevel/backend/reference/gather.hpp>
#include <bilevel/backend/reference/loss.hpp>
#include <bilevel/backend/reference/matrix.hpp>
#include <bilevel/backend/reference/pooling.hpp>
#include <bilevel/backend/reference/vector.hpp>
#include <bilevel/backend/single_worker.hpp>

#include <string>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Plain loops, slow and obvious: the oracle of every other backend, and the only one that takes any scalar: float, double, long double, or
/// `dual<double>`, over which every tangent rule is checked. It is its own and only worker.
template <class Scalar>
struct reference : reference_convolution<Scalar>,
                   reference_convolution_activation<Scalar>,
                   reference_folded<Scalar>,
                   reference_matrix<Scalar>,
                   reference_activation<Scalar>,
                   reference_pooling<Scalar>,
                   reference_batch_norm<Scalar>,
                   reference_bias<Scalar>,
                   reference_loss<Scalar>,
                   reference_gather<Scalar>,
                   reference_vector<Scalar>,
                   host_arrays,
                   single_worker<reference<Scalar>> {
    using scalar = Scalar;
    using kernels = reference;

    std::string describe() const { return "reference, 1 thread"; }
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
