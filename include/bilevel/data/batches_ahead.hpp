// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/core/integer.hpp>

#include <future>
#include <utility>

namespace bilevel::data {

/// Leaves a batch where the sampler has put it.
struct where_it_lies {
    template <class Batch> Batch operator()(int, const Batch& batch) const { return batch; }
};

/// The meta-batches of a sampler, each drawn by a thread of its own while the one before it is used: batch(i) is sampler.batch(i, tasks), and usually there
/// when it is asked for. That is worth it where a processor is free for it, such as beside a device: where all of them compute, it costs 2 % of a step of first-order
/// MAML on Omniglot. A batch lives until the next call. What drawing a batch throws is thrown where that batch is asked for.
///
/// place(k, batch), which the drawing thread calls, gives the batch as it shall be handed out: its inputs copied to a device, say
/// (`backend::cuda::copy_ahead`), where k, 0 and 1 in turn, tells what may be overwritten.
template <class Sampler, class Place = where_it_lies> class batches_ahead {
public:
    using batch_type = decltype(std::declval<Sampler&>().batch(integer{}, integer{}));

    batches_ahead(const Sampler& sampler, integer tasks, Place place = {})
        : samplers_{sampler, sampler}, tasks_(tasks), place_(std::move(place)) {}
    batches_ahead(const batches_ahead&) = delete;
    batches_ahead& operator=(const batches_ahead&) = delete;

    /// Any i; where it is not the one after the last, it is drawn now.
    batch_type batch(integer i) {
        const batch_type result = take(i);
        drawn_ = i + 1;
        drawing_ = std::async(std::launch::async, [this, which = 1 - used_, next = drawn_] { return draw(which, next); });
        return result;
    }

private:
    batch_type take(integer i) {
        if (drawing_.valid() && drawn_ == i) {
            auto drawn = drawing_.get();
            used_ = 1 - used_;
            return drawn;
        }
        drawing_ = {};  // waits for what nobody wants
        return draw(used_, i);
    }
    batch_type draw(int which, integer i) { return place_(which, samplers_[which].batch(i, tasks_)); }

    Sampler samplers_[2];
    integer tasks_;
    Place place_;
    int used_ = 0;  // whose batch was handed out
    integer drawn_ = 0;  // the batch that is under way
    std::future<batch_type> drawing_;  // the last member: its end waits for the thread
};

}  // namespace bilevel::data
