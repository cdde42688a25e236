// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>

namespace bilevel::testing {

/// What rounding may do to a sum of n products in the precision of Scalar, relative to the largest number that is compared:  4 ε √n.
///
/// Each addition rounds by at most ε/2 of the partial sum. The worst case, n ε/2, needs all errors of one sign; independent ones walk at random, √n ε/2, and
/// partial sums may be larger than what remains of them. A factor of 8 above that is met by no correct kernel and missed by no wrong one: leaving out a
/// single term costs about 1/n, which is a thousand times as much for any n below 10⁵, in float. The number of terms is the longest chain of operations
/// behind one number of the result; loosen it visibly, where whole solves are compared.
template <class Scalar> double tolerance(double terms = 1) {
    return 4 * static_cast<double>(std::numeric_limits<Scalar>::epsilon()) * std::sqrt(terms);
}

}  // namespace bilevel::testing
