// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/shape.hpp>

#include <cstddef>
#include <type_traits>

namespace bilevel {

/// What a program does with an array, as two independent bits of its type. A mixed product needs an adjoint without a tangent;
/// a cut in the program (ANIL's features) drops the tangent. What neither moves nor is wanted costs nothing.
enum class activity : unsigned {
    constant = 0,
    tangent = 1,  // it moves with the direction: it has a tangent plane
    adjoint = 2,  // somebody reads the derivative of the loss by it
    active = 3
};
constexpr activity operator|(activity a, activity b) { return activity(unsigned(a) | unsigned(b)); }
constexpr activity operator&(activity a, activity b) { return activity(unsigned(a) & unsigned(b)); }

/// What a kernel of a backend sees: one plane (the values, or the tangents) of an array for all tasks, with extents as run-time numbers,
/// so that one kernel serves every shape. A task stride of zero shares the plane between the tasks.
template <class Scalar> struct view {
    using scalar = Scalar;
    Scalar* data = nullptr;
    integer stride = 0;       // elements from one task to the next
    integer tasks = 0;
    integer batch = 0;        // examples a task; 1 for parameters
    integer size = 0;         // elements of one example
    integer extents[4] = {};  // of one example, e.g. (height, width, channels) or (3, 3, in, out)

    /// The first element of example `b` of task `t`.
    constexpr Scalar* at(integer t, integer b = 0) const { return data + t * stride + b * size; }
    constexpr operator view<const Scalar>() const
        requires(!std::is_const_v<Scalar>)
    {
        return {data, stride, tasks, batch, size, {extents[0], extents[1], extents[2], extents[3]}};
    }
};

/// A handle of a program: where the values and the tangents of an array lie, for all tasks. Values and tangents have strides of their own,
/// since shared values (stride 0) have a tangent for each task.
template <class Scalar, class Shape, activity Activity = activity::constant> struct array {
    using scalar = Scalar;
    using shape = Shape;
    static constexpr activity act = Activity;
    static constexpr bool varies = (Activity & activity::tangent) != activity::constant;
    static constexpr bool wanted = (Activity & activity::adjoint) != activity::constant;
    integer tasks = 0;
    integer batch = 1;
    integer width = 0;  // what the dynamic extent stands for
    Scalar* values = nullptr;
    integer values_stride = 0;
    std::remove_const_t<Scalar>* tangents = nullptr;
    integer tangents_stride = 0;

    constexpr integer per_task() const { return batch * Shape::count(width); }
};

namespace detail {
template <class Shape, class Scalar>
constexpr view<Scalar> plane(Scalar* data, integer stride, integer tasks, integer batch, integer width) {
    view<Scalar> v{data, stride, tasks, batch, Shape::count(width), {}};
    for (std::size_t i = 0; i < Shape::rank; ++i) v.extents[i] = Shape::extents[i] == dynamic ? width : Shape::extents[i];
    return v;
}
}  // namespace detail

/// The plane of the values of an array.
template <class Scalar, class Shape, activity Activity> constexpr view<Scalar> values_of(const array<Scalar, Shape, Activity>& a) {
    return detail::plane<Shape>(a.values, a.values_stride, a.tasks, a.batch, a.width);
}

/// The plane of the tangents of an array; a constant has none.
template <class Scalar, class Shape, activity Activity> constexpr auto tangents_of(const array<Scalar, Shape, Activity>& a) {
    static_assert(array<Scalar, Shape, Activity>::varies, "bilevel: a constant has no tangent");
    return detail::plane<Shape>(a.tangents, a.tangents_stride, a.tasks, a.batch, a.width);
}

/// In the place of an adjoint that nobody reads.
struct nothing {
    static constexpr bool varies = false, wanted = false;
};

}  // namespace bilevel
