// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/host_device.hpp>

#include <type_traits>

namespace bilevel::backend {

/// What an array holds of a number when a kernel that is called now runs. Kernels elsewhere read it then; where arrays are on the host, all that was
/// called before is done, and it is read now, so that a loop knows a constant.
template <class Kernels, class T> class deferred {
    static constexpr bool is_known = Kernels::arrays_are_on_the_host;

public:
    explicit deferred(const T* at) {
        if constexpr (is_known) {
            from_ = *at;
        } else {
            from_ = at;
        }
    }
    BILEVEL_HOST_DEVICE T operator*() const {
        if constexpr (is_known) {
            return from_;
        } else {
            return *from_;
        }
    }

private:
    std::conditional_t<is_known, T, const T*> from_;
};

}  // namespace bilevel::backend
