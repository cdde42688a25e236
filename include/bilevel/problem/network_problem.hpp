// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/episode.hpp>
#include <bilevel/core/error.hpp>
#include <bilevel/objective/examples.hpp>
#include <bilevel/problem/task.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace bilevel::problem {

/// The numbers that size a binding's memory: episodes of one shape, a block of tasks at a time.
struct episode_extents {
    integer tasks = 0;  // of a block
    integer support = 0;
    integer query = 0;
    integer outputs = 0;
    friend bool operator==(const episode_extents&, const episode_extents&) = default;
};

/// Whether a problem is over a network; else it is over a user's own objectives.
template <class Problem> concept over_a_network = requires { typename Problem::network; };

/// What the problems over a network have in common: their batches are episodes, and x is the network's parameter vector.
template <class Task> struct network_problem {
    using task_type = Task;
    using network = typename Task::network;
    using loss = typename Task::loss;
    template <class Scalar> using batch = episodes_view<Scalar, typename loss::template target<Scalar>>;
    using extents = episode_extents;

    Task task{};

    integer outer_size() const { return network::size(task.outputs); }
    integer adapted_size() const { return network::size(task.outputs); }  // an adapted task is a whole network
    integer statistics_size() const { return network::statistics_size; }
    template <class Scalar> static integer tasks(const batch<Scalar>& b) { return b.tasks; }
    template <class Scalar> extents extents_of(const batch<Scalar>& b, integer tasks) const {
        return {tasks, b.support.count, b.query.count, b.outputs};
    }

    template <class Scalar> void initialise(Scalar* x, Scalar* statistics, std::uint64_t seed) const {
        require_outputs();
        network::initialise(x, task.outputs, seed);
        network::initialise_statistics(statistics);
    }

    void require_outputs() const {
        if (task.outputs < (loss::is_classification ? 2 : 1))
            throw argument_error("task: outputs is " + std::to_string(task.outputs) + ", expected " +
                                 (loss::is_classification ? "the ways, at least 2" : "the width of the target, at least 1"));
    }

    /// Throws `argument_error` where batch norm by the statistics of the batch would take a number for its mean.
    static void require_statistics(const char* of, integer count, const char* or_else = "") {
        if (count * network::fewest_normalised() == 1)
            throw argument_error(std::string(of) +
                                 " is one example, of which a batch norm of this network sees one number a channel, and would take it for "
                                 "the mean: expected more of them" +
                                 or_else);
    }

    /// Throws `argument_error` where a batch does not fit the network or names a label that does not exist.
    template <class Scalar> void check(const batch<Scalar>& b, bool with_query, bool with_support = true) const {
        const auto refuse = [](const std::string& what) { throw argument_error("batch: " + what); };
        if (b.tasks < 1) refuse("it holds " + std::to_string(b.tasks) + " tasks, expected at least 1");
        if (b.outputs != task.outputs)
            refuse("its tasks have " + std::to_string(b.outputs) + " outputs, the network's head has " + std::to_string(task.outputs));
        const auto set = [&](const char* name, const auto& examples) {
            if (examples.count < 1 || examples.inputs == nullptr || examples.targets == nullptr)
                refuse(std::string("its ") + name + " set is empty (" + std::to_string(examples.count) + " examples a task)");
            if (examples.input_size != 0 && examples.input_size != network::input::count())
                refuse(std::string("the inputs of its ") + name + " set have " + std::to_string(examples.input_size) +
                       " numbers each, the network takes " + std::to_string(network::input::count()));
            if constexpr (network::input::rank == 3) {
                using image = typename network::input;
                const std::array taken{image::template extent<0>, image::template extent<1>, image::template extent<2>};
                const auto in_words = [](const std::array<integer, 3>& e) {
                    return std::to_string(e[0]) + "x" + std::to_string(e[1]) + "x" + std::to_string(e[2]);
                };
                if (examples.image[0] != 0 && examples.image != taken)
                    refuse(std::string("the images of its ") + name + " set are " + in_words(examples.image) +
                           " (height, width, channels), the network takes " + in_words(taken));
            }
            if constexpr (loss::is_classification) {
                for (integer i = 0; i < b.tasks * examples.count; ++i) {
                    if (examples.targets[i] < 0 || examples.targets[i] >= b.outputs)
                        refuse(std::string("label ") + std::to_string(examples.targets[i]) + " of example " +
                               std::to_string(i % examples.count) + " in the " + name + " set of task " +
                               std::to_string(i / examples.count) + " is not in 0 ... " + std::to_string(b.outputs - 1));
                }
            }
        };
        if (with_support) set("support", b.support);
        if (with_query) set("query", b.query);
    }

    /// The batch where kernels can read it; upload(slot, array, count) is that of the kernels.
    template <class Scalar, class Upload> batch<Scalar> placed(const batch<Scalar>& b, Upload upload) const {
        batch<Scalar> to = b;
        const auto place = [&](integer slot, auto& set) {
            const integer examples = b.tasks * set.count;
            if (set.inputs != nullptr) set.inputs = upload(slot, set.inputs, examples * network::input::count());
            if (set.targets != nullptr) set.targets = upload(slot + 1, set.targets, examples * target_size<Scalar>(b.outputs));
        };
        place(0, to.support);
        place(2, to.query);
        if (b.classes != nullptr) to.classes = upload(integer{4}, b.classes, b.tasks * b.outputs);
        return to;
    }

protected:
    template <class Scalar> static constexpr integer target_size([[maybe_unused]] integer outputs) {
        return loss::is_classification ? 1 : outputs;
    }

public:
    template <class Scalar> static auto support_block(const batch<Scalar>& b, integer first, integer tasks) {
        using block = objective::examples_block<Scalar, typename loss::template target<Scalar>>;
        return block::of(b.support, first, tasks, b.outputs, network::input::count(), target_size<Scalar>(b.outputs));
    }
    template <class Scalar> static auto query_block(const batch<Scalar>& b, integer first, integer tasks) {
        using block = objective::examples_block<Scalar, typename loss::template target<Scalar>>;
        return block::of(b.query, first, tasks, b.outputs, network::input::count(), target_size<Scalar>(b.outputs));
    }
};

}  // namespace bilevel::problem
