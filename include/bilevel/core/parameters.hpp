// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/array.hpp>
#include <bilevel/core/fixed_string.hpp>
#include <bilevel/core/tuple.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel {

/// One parameter array of a layer: its shape, its name, what its axes are, and how it begins.
template <class Shape, fixed_string Name, fixed_string Axes, class Initialiser> struct parameter {
    using shape = Shape;
    using initialiser = Initialiser;
    static constexpr std::string_view name = Name.view();
    static constexpr std::string_view axes = Axes.view();
};

/// The parameter arrays of a layer in the order in which they lie in its slice; each begins at a padded offset.
template <class... Parameters> struct parameter_list {
    /// Stored elements of the slice, padding included; `width` stands for the dynamic extent.
    static constexpr integer size([[maybe_unused]] integer width = 0) {
        return (padded(Parameters::shape::count(width)) + ... + integer{0});
    }
    /// Elements that are parameters: without the padding.
    static constexpr integer count([[maybe_unused]] integer width = 0) { return (Parameters::shape::count(width) + ... + integer{0}); }
};

/// A parameter array in the flat vector of a network, as a user sees it.
struct parameter_description {
    std::string name;              // "convolution_1.weight"
    integer offset = 0;            // in elements, from the beginning of the vector
    std::vector<integer> extents;  // (3, 3, in, out)
    std::string axes;              // "height,width,in,out"

    integer count() const {
        integer n = 1;
        for (const integer e : extents) n *= e;
        return n;
    }
};

/// The parameters of a network for all tasks: one contiguous vector a task (stride 0: shared), with its tangents where it moves, and beside it
/// the statistics that batch norm records or reads. A layer takes its slice with `from` and names its arrays with `split`.
template <class Scalar, activity Activity> struct parameter_vector {
    static constexpr bool wanted = (Activity & activity::adjoint) != activity::constant;
    Scalar* values = nullptr;
    integer values_stride = 0;
    std::remove_const_t<Scalar>* tangents = nullptr;
    integer tangents_stride = 0;
    integer tasks = 0;
    integer width = 0;
    std::remove_const_t<Scalar>* statistics = nullptr;  // none: batch norm records nothing
    integer statistics_stride = 0;

    /// The slice of a layer that begins at `offset`, its statistics at `statistics_offset`.
    constexpr parameter_vector from(integer offset, integer statistics_offset) const {
        auto slice = *this;
        if (values) slice.values += offset;
        if (tangents) slice.tangents += offset;
        if (statistics) slice.statistics += statistics_offset;
        return slice;
    }

    /// The arrays of a layer's list, as handles.
    template <class... Parameters> constexpr auto split(parameter_list<Parameters...>) const {
        [[maybe_unused]] integer offset = 0;
        [[maybe_unused]] auto next = [&]<class Parameter>(std::type_identity<Parameter>) {
            using array_shape = typename Parameter::shape;
            const integer at = std::exchange(offset, offset + padded(array_shape::count(width)));
            return array<Scalar, array_shape, Activity>{
                tasks, 1, width, values ? values + at : nullptr, values_stride, tangents ? tangents + at : nullptr, tangents_stride};
        };
        return tuple<array<Scalar, typename Parameters::shape, Activity>...>{next(std::type_identity<Parameters>{})...};
    }
};

}  // namespace bilevel
