// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bilevel/backend/cuda/check.cuh>
#include <bilevel/core/integer.hpp>
#include <bilevel/core/repeatable.hpp>

#include <cstddef>
#include <deque>

namespace bilevel::backend {

/// Sequences of kernels that are launched at once, as CUDA graphs. The first time they run one by one, and take the memory that they need; the second time
/// they are recorded; from then on the graph runs, and the host has one call to make instead of some hundreds.
class cuda_graphs {
public:
    cuda_graphs() = default;
    cuda_graphs(const cuda_graphs&) = delete;
    cuda_graphs& operator=(const cuda_graphs&) = delete;
    ~cuda_graphs() { forget(); }

    /// version() is a number that changes where memory that kernels were called with has been given back: then all graphs are recorded once more.
    template <class Version, class F> void run(const repeatable& these, Version version, cudaStream_t stream, F& f) {
        if (forget_before(version()))  // between the sequences: what memory there is now nobody knows
            for (recorded& graph : graphs_) graph.has_run = false;
        recorded& graph = find(these);
        if (!graph.has_run) {
            f();
            graph.has_run = true;  // not before: what has failed may not have taken its memory
            forget_before(version());
            return;
        }
        if (graph.executable == nullptr) record(graph, stream, f);
        detail::check(cudaGraphLaunch(graph.executable, stream), "cudaGraphLaunch");
        kernels_ = graph.kernels;
    }
    /// Of the graph that ran last; 0 where none has.
    integer kernels() const { return kernels_; }

private:
    static constexpr std::size_t most = 8;  // sequences that are met in turn: steps, hypergradients, batches that are drawn
    struct recorded {
        repeatable these;
        bool has_run = false;
        integer kernels = 0;
        cudaGraphExec_t executable = nullptr;
    };

    recorded& find(const repeatable& these) {
        for (recorded& graph : graphs_)
            if (graph.these == these) return graph;
        if (graphs_.size() == most) {
            destroy(graphs_.front());
            graphs_.pop_front();
        }
        graphs_.push_back({these});
        return graphs_.back();
    }
    template <class F> static void record(recorded& to, cudaStream_t stream, F& f) {
        cudaGraph_t graph = nullptr;
        detail::check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
        try {
            f();
        } catch (...) {
            (void)cudaStreamEndCapture(stream, &graph);
            if (graph != nullptr) (void)cudaGraphDestroy(graph);
            (void)cudaGetLastError();
            throw;
        }
        detail::check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
        std::size_t nodes = 0;
        const cudaError_t counted = cudaGraphGetNodes(graph, nullptr, &nodes), made = cudaGraphInstantiate(&to.executable, graph, 0);
        (void)cudaGraphDestroy(graph);
        detail::check(counted, "cudaGraphGetNodes");
        detail::check(made, "cudaGraphInstantiate");
        to.kernels = static_cast<integer>(nodes);
    }
    static void destroy(recorded& graph) {
        if (graph.executable != nullptr) (void)cudaGraphExecDestroy(graph.executable);
        graph.executable = nullptr;
    }
    bool forget_before(integer version) {
        if (version == version_) return false;
        forget();
        version_ = version;
        return true;
    }
    void forget() {
        for (recorded& graph : graphs_) destroy(graph);
    }

    std::deque<recorded> graphs_;
    integer version_ = 0, kernels_ = 0;
};

}  // namespace bilevel::backend
