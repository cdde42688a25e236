// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cpu/thread_team.hpp>
#include <bilevel/backend/instruction_set.hpp>
#include <bilevel/core/integer.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel::backend {
inline namespace BILEVEL_INSTRUCTION_SET {

/// Threads that wait for work, the calling one among them as worker 0. After construction nothing is allocated. One caller at a time, and no call
/// from within a call. In the last round of a job, of blocks mod workers blocks, workers without a block help those that have one.
class thread_pool {
public:
    explicit thread_pool(integer workers) : workers_(workers), teams_(static_cast<std::size_t>(workers)) {
        try {
            threads_.reserve(static_cast<std::size_t>(workers - 1));
            for (integer worker = 1; worker < workers; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
        } catch (...) {
            join();
            throw;
        }
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() { join(); }

    integer workers() const { return workers_; }
    /// The threads that share what `worker` does: itself alone, but in a last round of fewer blocks than workers.
    thread_team& team(integer worker) { return teams_[static_cast<std::size_t>(worker)]; }

    /// Runs body(block, worker) for every block, concurrently, block b on worker b mod workers; then merge(block, worker) on the same worker, strictly
    /// in the order of the blocks. Where a body or a merge throws, the merges of the blocks before it run, no later one does, and the exception of the
    /// lowest block that threw is rethrown here.
    template <class Body, class Merge> void for_each_block(integer blocks, Body&& body, Merge&& merge) {
        if (workers_ == 1 || blocks == 0) {
            for (integer block = 0; block < blocks; ++block) {
                body(block, integer{0});
                merge(block, integer{0});
            }
            return;
        }
        using callables = std::pair<std::remove_reference_t<Body>*, std::remove_reference_t<Merge>*>;
        callables both(&body, &merge);
        run({blocks, &both, [](void* c, integer block, integer worker) { (*static_cast<callables*>(c)->first)(block, worker); },
             [](void* c, integer block, integer worker) { (*static_cast<callables*>(c)->second)(block, worker); }});
    }

private:
    struct job {
        integer blocks = 0;
        void* callables = nullptr;
        void (*body)(void*, integer, integer) = nullptr;
        void (*merge)(void*, integer, integer) = nullptr;
    };

    void run(const job& next) {
        {
            const std::lock_guard lock(mutex_);
            job_ = next;
            next_merge_ = 0;
            failed_ = next.blocks;
            exception_ = nullptr;
            running_ = std::min(next.blocks, workers_);
            ++generation_;
            for (integer leader = 0; leader < leaders(next.blocks); ++leader) team(leader).open(generation_);
        }
        started_.notify_all();
        work(0);
        std::exception_ptr thrown;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return running_ == 0; });
            thrown = std::exchange(exception_, nullptr);
        }
        if (thrown) std::rethrow_exception(thrown);
    }

    void serve(integer worker) {
        unsigned long long seen = 0;
        for (;;) {
            integer blocks = 0;
            {
                std::unique_lock lock(mutex_);
                started_.wait(lock, [&] { return stopping_ || generation_ != seen; });
                if (stopping_) return;
                seen = generation_;
                blocks = job_.blocks;
            }
            if (worker < blocks) work(worker);
            // From here on the job may end and the next one begin: nobody waits for a helper.
            const integer teams = leaders(blocks);
            if (teams > 0 && worker >= teams) team(worker % teams).help(seen, worker / teams);
        }
    }

    /// The workers with a block in a last round that is not full. The others help, worker w the team of worker w mod leaders, once their own blocks are
    /// merged. No leader waits for that: a helper may still be waiting for its turn to merge.
    integer leaders(integer blocks) const { return blocks % workers_; }

    /// The blocks of one worker. The job does not change before all that have one are through.
    void work(integer worker) {
        const integer teams = leaders(job_.blocks), last_round = job_.blocks - teams;
        for (integer block = worker; block < job_.blocks; block += workers_) {
            if (block >= last_round) team(worker).gather((workers_ - 1 - worker) / teams);
            if (!attempt(block, worker)) break;
        }
        if (worker < teams) team(worker).dismiss();
        const std::lock_guard lock(mutex_);
        if (--running_ == 0) changed_.notify_all();
    }

    /// False where this worker has nothing more to do, since a block has failed.
    bool attempt(integer block, integer worker) {
        try {
            job_.body(job_.callables, block, worker);
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return next_merge_ == block || failed_ < block; });
                if (failed_ < block) return false;
            }
            job_.merge(job_.callables, block, worker);
            bool all_well = false;
            {
                const std::lock_guard lock(mutex_);
                ++next_merge_;
                all_well = failed_ == job_.blocks;
            }
            changed_.notify_all();
            return all_well;
        } catch (...) {
            {
                const std::lock_guard lock(mutex_);
                if (block < failed_) {
                    failed_ = block;
                    exception_ = std::current_exception();
                }
            }
            changed_.notify_all();
            return false;
        }
    }

    void join() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        started_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    integer workers_;
    std::mutex mutex_;
    std::condition_variable started_;  // a job begins, or the pool ends
    std::condition_variable changed_;  // a merge is done, a block has failed, or the last worker is through
    job job_;
    integer next_merge_ = 0;
    integer failed_ = 0;  // the lowest block that threw; the number of blocks where none did
    integer running_ = 0;  // workers that are not through with their blocks
    unsigned long long generation_ = 0;
    bool stopping_ = false;
    std::exception_ptr exception_;
    std::vector<thread_team> teams_;
    std::vector<std::thread> threads_;
};

}  // namespace BILEVEL_INSTRUCTION_SET
}  // namespace bilevel::backend
