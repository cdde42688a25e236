// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/eigen.hpp>
#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/core/explain.hpp>
#include <bilevel/problem/binding.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace bilevel {

/// The two objectives of one task, written by the user; a batch is a contiguous range of them. See core/explain.hpp for what each has to offer.
template <class Inner, class Outer> struct levels {
    Inner inner;
    Outer outer;
};
template <class Inner, class Outer> levels(Inner, Outer) -> levels<Inner, Outer>;

namespace problem {

/// A vector of a user's objective.
template <class Scalar> using column = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/// How a user's objective sees a row of the solver: as an Eigen vector that it reads.
template <class Scalar> Eigen::Map<const column<Scalar>> as_vector(const Scalar* data, integer size) { return {data, size}; }

/// Throws `argument_error` for a vector without elements.
inline void require_initial(const char* name, const Eigen::VectorXd& initial, const char* what) {
    if (initial.size() == 0) throw argument_error(std::string(name) + " is empty, expected " + what);
}

/// The batches of problems over a user's own objectives.
template <class Levels> struct own_problem {
    using levels_type = Levels;
    template <class Scalar> using batch = std::span<const Levels>;
    struct extents {
        integer tasks = 0;
        friend bool operator==(const extents&, const extents&) = default;
    };
    integer statistics_size() const { return 0; }
    template <class Scalar> static integer tasks(std::span<const Levels> b) { return integer(b.size()); }
    template <class Scalar> extents extents_of(std::span<const Levels>, integer tasks) const { return {tasks}; }
    template <class Scalar, class Upload> std::span<const Levels> placed(std::span<const Levels> b, Upload) const { return b; }
    template <class Scalar> void check(std::span<const Levels> b, bool) const {
        if (b.empty()) throw argument_error("batch: it holds no task, expected at least 1");
    }
};

/// What the bindings over a user's own objectives share: the tasks of the block, and rows as Eigen vectors. See problem/binding.hpp.
template <class Kernels, class Inner, class Outer> class own_binding {
public:
    using scalar = typename Kernels::scalar;
    static_assert(Kernels::arrays_are_on_the_host,
                  "bilevel: a user's own objectives are computed on the host: they need a backend whose arrays lie there (backend::cpu, "
                  "backend::reference)");

    own_binding(integer inner_size, integer outer_size, integer tasks, const requirements& needs)
        : points_(std::size_t(needs.slots)), losses_(std::size_t(padded(1) * tasks)), inner_size_(inner_size), outer_size_(outer_size),
          tasks_(tasks) {}
    integer tasks() const { return tasks_; }
    integer inner_size() const { return inner_size_; }
    integer outer_size() const { return outer_size_; }
    integer slots() const { return integer(points_.size()); }
    /// A point is where it was linearized at, and nothing else.
    template <class Problem> static std::size_t bytes_of_slot(const Problem&, const typename Problem::extents&) { return 0; }

    void bind(Kernels& kernels, std::span<const levels<Inner, Outer>> b, integer first, rows<const scalar> x, rows<scalar>) {
        kernels_ = &kernels;
        batch_ = b.subspan(std::size_t(first), std::size_t(tasks_));
        x_ = x;
    }
    Kernels& kernels() const { return *kernels_; }
    rows<const scalar> x() const { return x_; }
    void finish(rows<scalar>) {}

protected:
    static auto at(rows<const scalar> r, integer t) { return as_vector(r.row(t), r.size); }
    static Eigen::Map<column<scalar>> into(rows<scalar> r, integer t) { return {r.row(t), r.size}; }
    /// What the user's objective of a task gave, as row t, or added to it. Throws `argument_error` where it has another size.
    template <class Vector> static void put(rows<scalar> r, integer t, const char* what, const Vector& given) {
        require_size(r, t, what, given.size());
        into(r, t) = given;
    }
    template <class Vector> static void add(rows<scalar> r, integer t, scalar scale, const char* what, const Vector& given) {
        require_size(r, t, what, given.size());
        into(r, t) += scale * given;
    }
    const Inner& inner_of(integer t) const { return batch_[std::size_t(t)].inner; }
    const Outer& outer_of(integer t) const { return batch_[std::size_t(t)].outer; }
    scalar& loss_of(integer t) { return losses_[std::size_t(t * padded(1))]; }
    const scalar* losses() const { return losses_.data(); }
    rows<const scalar>& point(integer slot) { return points_[std::size_t(slot)]; }

private:
    static void require_size(rows<scalar> r, integer t, const char* what, integer size) {
        if (size != r.size)
            throw argument_error("task " + std::to_string(t) + " of its block: " + what + " of the objective has " + std::to_string(size) +
                                 " elements, expected " + std::to_string(r.size));
    }

    std::vector<rows<const scalar>> points_;  // where each slot was linearized
    std::vector<scalar> losses_;
    integer inner_size_, outer_size_, tasks_;
    std::span<const levels<Inner, Outer>> batch_{};
    Kernels* kernels_ = nullptr;
    rows<const scalar> x_{};
};

}  // namespace problem

}  // namespace bilevel
