// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda.cuh>
#include <bilevel/testing/every_primitive.hpp>

#include <cstddef>
#include <cstring>
#include <vector>

namespace fixture {

using bilevel::integer;

/// The kernels of `backend::cuda` for callers whose arrays lie on the host: each call takes its arrays to the device and brings back those that it may have
/// written to, with what lies between their tasks, so that whatever a kernel touches is seen.
template <class Scalar, bilevel::backend::arithmetic Arithmetic = bilevel::backend::arithmetic::fp32,
          bilevel::backend::convolution_products Convolutions = bilevel::backend::convolution_products::tiles>
class host_visible_cuda {
    class transfers {
    public:
        transfers() = default;
        transfers(const transfers&) = delete;
        transfers& operator=(const transfers&) = delete;
        ~transfers() {
            for (const copied& c : all_) bilevel::backend::cuda_memory().deallocate(c.there, c.bytes);
        }

        template <class T> T* copy(T* here, integer count) {
            if (here == nullptr || count == 0) return here;
            const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
            void* const there = bilevel::backend::cuda_memory().allocate(bytes);
            all_.push_back({std::is_const_v<T> ? nullptr : const_cast<std::remove_const_t<T>*>(here), there, bytes});
            device().download(static_cast<char*>(there), reinterpret_cast<const char*>(here), static_cast<integer>(bytes));
            return static_cast<T*>(there);
        }
        template <class T> bilevel::view<T> carried(bilevel::view<T> v) {
            v.data = copy(v.data, v.size == 0 ? 0 : v.stride * (v.tasks - 1) + v.batch * v.size);
            return v;
        }
        template <class T> bilevel::rows<T> carried(bilevel::rows<T> r) {
            r.data = copy(r.data, r.stride * (r.tasks - 1) + r.size);
            return r;
        }
        bilevel::backend::normalised<Scalar> carried(const bilevel::backend::normalised<Scalar>& n) {
            return {carried(n.x), carried(n.mean), carried(n.r), carried(n.gain), carried(n.shift)};
        }
        bilevel::backend::folded<Scalar> carried(const bilevel::backend::folded<Scalar>& f) {
            return {carried(f.w), carried(f.gain), carried(f.mean), carried(f.r), carried(f.v)};
        }
        template <class Other> const Other& carried(const Other& other) { return other; }

        void bring_back() {
            for (const copied& c : all_)
                if (c.here != nullptr)
                    device().download(static_cast<char*>(c.here), static_cast<const char*>(c.there), static_cast<integer>(c.bytes));
        }

    private:
        struct copied {
            void *here, *there;  // here: none where a kernel only reads
            std::size_t bytes;
        };
        std::vector<copied> all_;
    };

    template <auto Kernel, class = decltype(Kernel)> struct carried_call;
    template <auto Kernel, class Of, class... In> struct carried_call<Kernel, void (Of::*)(In...)> {
        void operator()(In... in) const {
            transfers there;
            (device().*Kernel)(there.carried(in)...);
            there.bring_back();
        }
    };

public:
    using scalar = Scalar;
    static constexpr bool rounds_to_tf32 = Arithmetic == bilevel::backend::arithmetic::tf32;
    static constexpr bool tasks_differ_alone = Convolutions == bilevel::backend::convolution_products::cudnn;

    // Members, so that a call takes what the kernel itself takes, braces too.
#define BILEVEL_ON_DEVICE(NAME) carried_call<&bilevel::backend::cuda<Scalar>::NAME> NAME{};
    BILEVEL_EVERY_PRIMITIVE_OF_VIEWS(BILEVEL_ON_DEVICE)
#undef BILEVEL_ON_DEVICE

    // Those whose arrays are given without their extents.
    void add_scaled(bilevel::rows<Scalar> y, Scalar a, bilevel::rows<const Scalar> x) {
        transfers there;
        device().add_scaled(there.carried(y), a, there.carried(x));
        there.bring_back();
    }
    void add_scaled(bilevel::rows<Scalar> y, const Scalar* a, bilevel::rows<const Scalar> x) {
        transfers there;
        device().add_scaled(there.carried(y), there.copy(a, y.tasks), there.carried(x));
        there.bring_back();
    }
    void scale_and_add(bilevel::rows<Scalar> y, const Scalar* b, bilevel::rows<const Scalar> x) {
        transfers there;
        device().scale_and_add(there.carried(y), there.copy(b, y.tasks), there.carried(x));
        there.bring_back();
    }
    void inner_products(Scalar* result, bilevel::rows<const Scalar> a, bilevel::rows<const Scalar> b) {
        transfers there;
        device().inner_products(there.copy(result, a.tasks), there.carried(a), there.carried(b));
        there.bring_back();
    }

    static bilevel::backend::cuda<Scalar>& device() {
        static bilevel::backend::cuda<Scalar> one({.convolutions = Convolutions, .arithmetic = Arithmetic});
        return one;
    }
};

}  // namespace fixture
