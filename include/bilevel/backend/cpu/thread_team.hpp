// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <type_traits>
#include <utility>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Threads that share the kernels of one task where fewer tasks than threads are left: the leader, whose kernels they are, and helpers, which come and go
/// with the jobs of the `thread_pool`. What is shared is cut into parts of which each result belongs to one, so that its bits depend neither on the cut nor on
/// the threads. Nothing is allocated.
class thread_team {
public:
    /// Members, the leader among them as member 0.
    integer size() const { return size_; }

    /// f(part, member) for every part, in any order, at the same time on several members; returns when all are done. Rethrows what a part threw, one of them
    /// where there are several; the others run nevertheless. By the leader alone, and not from within f.
    template <class F> void for_each(integer parts, F&& f) {
        using callable = std::remove_reference_t<F>;
        run(parts, &f, [](const void* c, integer part, integer member) { (*static_cast<callable*>(const_cast<void*>(c)))(part, member); });
    }

    /// Before a job begins, by its number, which is not 0 and never comes again: who helps in it may come.
    void open(unsigned long long job) {
        const std::lock_guard lock(mutex_);
        job_ = job;
    }
    /// By the leader, before what so many helpers share, with members 1 … helpers. They come when they can: it waits for none.
    void gather(integer helpers) { size_ = 1 + helpers; }
    /// Takes parts until the leader dismisses the helpers of this job, which may have been long ago.
    void help(unsigned long long job, integer member) {
        std::unique_lock lock(mutex_);
        for (;;) {
            posted_.wait(lock, [&] { return job_ != job || next_ < parts_; });
            if (job_ != job) return;
            take_parts(lock, member);
        }
    }
    /// By the leader, when the job ends.
    void dismiss() {
        {
            const std::lock_guard lock(mutex_);
            size_ = 1;
            job_ = 0;
        }
        posted_.notify_all();
    }

private:
    using call_type = void (*)(const void*, integer part, integer member);

    // Not inlined: what is called through a pointer here is compiled once for a team and for a leader alone.
    __attribute__((noinline)) void run(integer parts, const void* callable, call_type call) {
        if (size_ == 1 || parts <= 1) {
            for (integer part = 0; part < parts; ++part) call(callable, part, 0);
            return;
        }
        std::unique_lock lock(mutex_);
        callable_ = callable;
        call_ = call;
        next_ = 0;
        parts_ = unfinished_ = parts;
        posted_.notify_all();
        take_parts(lock, 0);
        finished_.wait(lock, [this] { return unfinished_ == 0; });
        parts_ = next_ = 0;
        if (auto thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
    }

    void take_parts(std::unique_lock<std::mutex>& lock, integer member) {
        while (next_ < parts_) {
            const integer part = next_++;
            lock.unlock();
            std::exception_ptr thrown;
            try {
                call_(callable_, part, member);
            } catch (...) {
                thrown = std::current_exception();
            }
            lock.lock();
            if (thrown && !thrown_) thrown_ = thrown;
            if (--unfinished_ == 0) finished_.notify_all();
        }
    }

    integer size_ = 1;
    std::mutex mutex_;
    std::condition_variable posted_;  // there are parts to take, or the helpers are dismissed
    std::condition_variable finished_;  // the last part is done
    const void* callable_ = nullptr;
    call_type call_ = nullptr;
    integer parts_ = 0, next_ = 0, unfinished_ = 0;
    unsigned long long job_ = 0;
    std::exception_ptr thrown_;
};

/// What kernels inherit that a team may share.
class shared_among_threads {
public:
    /// Where a stretch would have fewer elements than `smallest_share`, there are fewer stretches.
    void share_among(thread_team& team, integer smallest_share) {
        team_ = &team;
        smallest_share_ = smallest_share;
    }

    integer members() const { return team_->size(); }

    /// How many members have something to do where there are so many elements, or so many multiply-adds for 64.
    integer shares(integer elements) const {
        return members() == 1 ? 1 : std::clamp(elements / std::max(smallest_share_, integer{1}), integer{1}, members());
    }
    integer shares_of_products(integer multiply_adds) const { return shares(multiply_adds / 64); }

    /// f(part, member), see `thread_team::for_each`; by the leader alone where there is but one share.
    template <class F> void for_each_part(integer parts, integer shares, F f) const { (shares == 1 ? alone_ : *team_).for_each(parts, f); }

    /// f(part, member, slot) for every part, and then(part, slot) for one after the other, by the leader: sums whose order does not depend on the threads. The
    /// slots, of which there are `slots(shares)`, are where a part keeps what `then` adds up.
    template <class F, class Then> void for_each_part_in_order(integer parts, integer shares, F f, Then then) const {
        const integer together = slots(shares);
        for (integer first = 0; first < parts; first += together) {
            const integer here = std::min(together, parts - first);
            for_each_part(here, shares, [&](integer slot, integer member) { f(first + slot, member, slot); });
            for (integer slot = 0; slot < here; ++slot) then(first + slot, slot);
        }
    }
    integer slots(integer shares) const { return shares == 1 ? 1 : 4 * members(); }

    /// f(first, end) for as many stretches of 0 … count − 1, each with a copy of f: what it holds lies in registers then, where no result can overwrite it.
    template <class F> void for_each_stretch(integer count, integer shares, F f) const {
        team_->for_each(shares, [=](integer part, integer) {
            const F mine = f;
            mine(count * part / shares, count * (part + 1) / shares);
        });
    }

private:
    static inline thread_team alone_;
    thread_team* team_ = &alone_;
    integer smallest_share_ = 1;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
